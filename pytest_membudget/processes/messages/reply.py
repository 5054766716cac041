"""What a worker replies; it imports this once all has been weighed."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.sample import Facts
from pytest_membudget.sample.observed import Observed


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
class WorkerReply:
    """How the migration ended and what the process took: bytes of peak RSS, and seconds.

    ``peak`` and ``anonymous`` are None where the kernel keeps no such figures, ``baseline`` also
    where the migration did not begin, ``duration`` where it broke off.  ``failure`` is the first
    line of the exception, ``details`` its traceback.  ``applied`` says of each of the job's
    migrations whether it is applied.  ``not_run`` has each operation whose code did not run whole,
    with the reason.  ``facts`` are those that the worker knows, of a migration that broke off only
    how many connections it has opened.
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
    not_run: list[tuple[str, str]]
    statements: list[StatementCount]
    facts: Facts
    observed: Observed | None = None
