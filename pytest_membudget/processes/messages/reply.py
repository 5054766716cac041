"""What a worker replies; it imports this once all has been weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_membudget.sample import Observed


@dataclass(frozen=True)
class StatementCount:
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
class PhaseMark:
    """A phase of the process, in bytes: the RSS that it ``began`` with, and its ``peak``.

    ``statement`` is the one that it begins with, ``migration`` its label where there are several.
    """

    migration: str
    statement: str
    began: int
    peak: int


@dataclass(frozen=True)
class NotRun:
    """An ``operation`` whose code did not run whole, and ``why``."""

    operation: str
    why: str


@dataclass(frozen=True)
class Facts:
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
class WorkerReply:
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
