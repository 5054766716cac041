"""What a worker replies.  It imports this once all has been weighed, and in child processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_membudget.processes.messages import lines


class Message:
    """The base of these, which tells them from values of the migration."""


@dataclass(frozen=True)
class StatementCount(Message):
    """A statement that was sent ``times`` times with these ``values`` by position.

    ``values`` is None where executions are not told apart by them.  ``fetched`` and ``affected``
    count rows; ``looked`` says that somebody, or the driver, looked how many rows there are.
    """

    text: str
    values: dict[int, Any] | None
    times: int = 0
    fetched: int = 0
    affected: int = 0
    looked: bool = False


@dataclass(frozen=True)
class StatementSent(Message):
    """In the log of a child process: ``name`` stands for this statement from now on."""

    name: str
    text: str
    values: dict[int, Any] | None


@dataclass(frozen=True)
class StatementCounted(Message):
    """In the log of a child process: what has to be added to the statement ``name``."""

    name: str
    times: int
    fetched: int
    affected: int
    looked: bool


@dataclass(frozen=True)
class ConnectionOpened(Message):
    """In the log of a child process: ``by_django``, or by anybody, Django included."""

    by_django: bool


@dataclass(frozen=True)
class PhaseMark(Message):
    """A phase of the process, in bytes: the RSS that it ``began`` with, and its ``peak``.

    ``statement`` is the one that it begins with, ``migration`` its label where there are several.
    """

    migration: str
    statement: str
    began: int
    peak: int


@dataclass(frozen=True)
class NotRun(Message):
    """An ``operation`` whose code did not run whole, and ``why``."""

    operation: str
    why: str


@dataclass(frozen=True)
class Facts(Message):
    """What the process and its database are set to; None is what can't be known.

    ``schemas`` are those where a table is looked for that no schema is named of.
    ``most_parameters`` is how many parameters a statement had, ``parameter_limit`` how many it may
    have.  See Cycles for the two last.
    """

    debug: bool
    pooled: bool
    server_side_cursors_disabled: bool
    schemas: list[str]
    most_parameters: int
    parameter_limit: int | None
    oldest_collections: int | None = None
    cyclic_objects: int | None = None


@dataclass(frozen=True)
class LoadedRows(Message):
    """``rows`` of a model whose ``columns`` a queryset has loaded at a line of the project."""

    file: str
    line: int
    model: str
    columns: list[str]
    rows: int


@dataclass(frozen=True)
class BulkUpdate(Message):
    """A call of bulk_update at a line of the project."""

    file: str
    line: int
    rows: int
    batch_size: int | None


@dataclass(frozen=True)
class ResultSize(Message):
    """``bytes`` that malloc handed out for the result of a line's largest statement."""

    file: str
    line: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class Observed(Message):
    """What the migration does with the rows that it loads.

    ``read`` holds the columns that were read, by model.  ``kept_by_malloc`` is how many bytes had
    been given back to malloc, but not by it to the system, when its heap was the largest.
    """

    querysets: list[LoadedRows]
    bulk_updates: list[BulkUpdate]
    results: list[ResultSize]
    read: dict[str, list[str]]
    kept_by_malloc: int


@dataclass(frozen=True)
class WorkerReply(Message):
    """How the migration ended and what the process took: bytes of peak RSS, and seconds.

    ``peak`` and ``anonymous`` are None where the kernel keeps no such figures, ``baseline`` also
    where the migration did not begin, ``duration`` and ``facts`` where it broke off.  ``failure``
    is the first line of the exception, ``details`` its traceback.  ``applied`` says of each of the
    job's migrations whether it is applied.  ``connected`` counts the connections that Django has
    opened, ``opened`` all of them, both without those of child processes.
    """

    peak: int | None
    anonymous: int | None
    baseline: int | None
    duration: float | None
    failure: str | None
    details: str
    vendor: str
    applied: list[bool]
    phases: list[PhaseMark]
    not_run: list[NotRun]
    statements: list[StatementCount]
    connected: int
    opened: int
    facts: Facts | None = None
    observed: Observed | None = None


def encode(message: Message) -> str:
    """A message as a line, without a library."""
    return lines.encode(type(message).__name__, vars(message), _plain)


def _plain(value: Any) -> Any:
    return vars(value) if isinstance(value, Message) else str(value)
