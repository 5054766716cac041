"""The reply of a worker, which imports this module only after it has been weighed."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.sample import Facts, Phase
from pytest_membudget.sample.lesson import Breakage
from pytest_membudget.sample.observed import Observed


@dataclass(frozen=True)
class WorkerReply:
    """How the migration ended and what the process took: bytes of peak RSS, and seconds.

    ``peak`` and ``anonymous`` are None where the kernel keeps no such figures, ``baseline`` also
    where the migration did not begin, ``duration`` where it failed.  ``failure`` is the first line
    of the exception, ``details`` its traceback.  ``applied`` says of each of the job's migrations
    whether it is applied.  ``phases`` have the RSS that each began with, and its peak.  ``not_run``
    has the migrations and the operations whose code did not run to its end, each with the reason.
    ``facts`` are those that the worker knows; of a migration that failed, only the number of its
    connections.  ``breakage`` is what that expected of a row.
    """

    peak: int | None
    anonymous: int | None
    baseline: int | None
    duration: float | None
    failure: str | None
    details: str
    vendor: str
    applied: list[bool]
    phases: list[tuple[Phase, int, int]]
    not_run: list[tuple[str, str, str]]
    statements: list[StatementCount]
    facts: Facts
    observed: Observed | None = None
    breakage: Breakage | None = None
