"""The result of one check: what every report is a function of, and what the JSON holds.

A field is a key of the JSON, schema 1.  One that has a default may be missing in the file of
another version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins

from pytest_membudget.files import convert
from pytest_membudget.finding import Finding
from pytest_membudget.judge.acceptance import Acceptance
from pytest_membudget.judge.confirmation import Confirmation
from pytest_membudget.judge.evidence import Database
from pytest_membudget.judge.explanation import Advice, Line, Stacks
from pytest_membudget.judge.figures import Bytes, Difference, Figure, Limit, Rows, Seconds
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.tables import TableFigures
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.sample import Outcome, Sample


@dataclass(frozen=True)
class SampleFigures:
    """One run of the migration.  ``anonymous_bytes`` is what of the peak can't be reclaimed.

    ``rows`` counts each model of the budget; ``duration_s`` is the time that the migration took,
    ``seed_s`` the time to make its rows, ``server_peak_bytes`` the memory of the database server.
    ``timeline`` are seconds and bytes of RSS.
    """

    rows: dict[str, Rows]
    peak_bytes: Bytes
    baseline_bytes: Bytes | None = None
    anonymous_bytes: Difference | None = None
    server_peak_bytes: Bytes | None = None
    startup_s: Seconds = 0.0
    duration_s: Seconds = 0.0
    seed_s: Seconds = 0.0
    processes: Rows = 1
    rows_read: Rows = 0
    rows_written: Rows = 0
    outcome: Outcome = field(kw_only=True)
    timeline: tuple[tuple[Seconds, Bytes], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, sample: Sample) -> SampleFigures:
        run = sample.run
        return cls(
            rows=sample.rows,
            peak_bytes=run.peak,
            baseline_bytes=run.baseline,
            anonymous_bytes=run.anonymous,
            server_peak_bytes=run.server_peak,
            startup_s=round(run.startup, 3),
            duration_s=round(run.duration, 3),
            seed_s=round(sample.seed_seconds, 3),
            processes=run.processes,
            rows_read=sum(run.read.values()),
            rows_written=sum(run.written.values()),
            outcome=run.outcome,
            timeline=run.timeline,
        )

    @property
    def size(self) -> int:
        """Rows of the model with the most."""
        return max(self.rows.values(), default=0)


@dataclass(frozen=True)
class SecondsByPart:
    """Where the seconds of a check went that it waited for something.

    ``state``: the scratch database before the migration; ``survey``: dry runs; ``starting``:
    processes; ``applying``: the migration itself; ``explaining``: growth by line and advice.
    """

    state: Seconds = 0.0
    survey: Seconds = 0.0
    seeding: Seconds = 0.0
    cloning: Seconds = 0.0
    starting: Seconds = 0.0
    applying: Seconds = 0.0
    explaining: Seconds = 0.0

    @classmethod
    def of(cls, seconds: Mapping[str, float]) -> SecondsByPart:
        return cls(**{part: round(max(0.0, its), 3) for part, its in seconds.items()})


@dataclass(frozen=True, kw_only=True)
class Result:
    """One budget and its verdict.  Sizes are bytes, times seconds, unknown figures None.

    ``migrations`` are the labels of those that are joined in ``migration``, or counted there.
    ``rows`` are production's by model; ``bytes_per_row`` and ``fits_up_to_rows`` count the first.
    ``peak_low_bytes`` and ``peak_high_bytes`` are the interval of ``peak_bytes``, the peak RSS at
    production's row count; ``anonymous_bytes`` is what of it the kernel can't reclaim, on which
    it acts.  ``server_peak_bytes`` is the memory that the database server's processes take for the
    migration.  Projected durations are production's, ``speed`` times as fast as this machine.
    ``files`` are those of the migrations.  ``outcome`` is what became of the test, for
    instance ``"failed"`` or ``"xfailed"``, None until it has ended.  ``details`` is the traceback
    or output behind an error.  ``accepted`` says that the baseline has this failure,
    ``confirmation`` what the kernel does to it.
    """

    nodeid: str
    migration: str
    migrations: tuple[str, ...] = ()
    reverse: bool = False
    database: Database
    rows: dict[str, Rows]
    seed: str | None = None
    grow: bool = False
    limit_bytes: Limit
    limit_source: str = ""
    max_duration_s: Seconds | None = None
    limit_server_bytes: Limit | None = None
    verdict: Verdict
    basis: Basis | None = None
    reason: str
    findings: tuple[Finding, ...] = ()
    peak_bytes: Bytes | None = None
    peak_low_bytes: Bytes | None = None
    peak_high_bytes: Bytes | None = None
    anonymous_bytes: Difference | None = None
    baseline_bytes: Bytes | None = None
    bytes_per_row: Difference | None = None
    growth: Growth | None = None
    fits_up_to_rows: Rows | None = None
    time_budget_s: Seconds | None = None
    duration_s: Seconds = 0.0
    seconds: SecondsByPart = field(default=SecondsByPart(), repr=False)
    projected_duration_s: Seconds | None = None
    projected_duration_low_s: Seconds | None = None
    projected_duration_high_s: Seconds | None = None
    speed: Figure = 1.0
    server_peak_bytes: Bytes | None = None
    server_peak_low_bytes: Bytes | None = None
    server_peak_high_bytes: Bytes | None = None
    tables: tuple[TableFigures, ...] = field(default=(), repr=False)
    samples: tuple[SampleFigures, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = ()
    attribution: tuple[Line, ...] = ()
    attribution_note: str | None = None
    advice: tuple[Advice, ...] = ()
    stacks: Stacks | None = field(default=None, repr=False)
    details: str = field(default="", repr=False)
    outcome: str | None = None
    accepted: Acceptance | None = None
    confirmation: Confirmation | None = None

    def __post_init__(self) -> None:
        ends = (self.peak_bytes, self.peak_high_bytes)
        if self.peak_low_bytes is not None and None in ends:
            raise ValueError("peak_low_bytes requires peak_bytes and peak_high_bytes")

    @property
    def ok(self) -> bool:
        """Whether the verdict is ``within``."""
        return self.verdict == Verdict.WITHIN

    @property
    def inconclusive(self) -> bool:
        """Whether the verdict is ``inconclusive``."""
        return self.verdict == Verdict.INCONCLUSIVE

    def to_dict(self) -> dict[str, Any]:
        """The result as schema 1 has it, of plain JSON values."""
        plain: dict[str, Any] = json.loads(json.dumps(to_builtins(self)))
        return plain

    @classmethod
    def from_dict(cls, figures: Mapping[str, Any], source: str = "the result") -> Result:
        """What :meth:`to_dict` gave, or a file of another version holds.

        Raises BudgetError, which names ``source`` and the path of what is wrong in it.
        """
        return convert(figures, cls, source)


def verified(result: Result) -> Result:
    """The result of a check that was made here.

    Raises ValueError where it is ``within`` and its peak is not known, or may be over the limit;
    the same of its duration and the server's memory, where they have a limit.
    """
    if result.verdict != Verdict.WITHIN:
        return result
    high = result.peak_high_bytes or result.peak_bytes
    if result.peak_bytes is None or high is None or result.basis is None:
        raise ValueError(f"{result.migration} has the verdict within, but no peak was measured")
    if max(high, result.peak_bytes) >= result.limit_bytes:
        raise ValueError(
            f"{result.migration} has the verdict within, but its peak may exceed the limit"
        )
    others = (
        ("duration", result.projected_duration_high_s, result.max_duration_s),
        ("server's memory", result.server_peak_high_bytes, result.limit_server_bytes),
    )
    # What is recorded and not run has no sample.
    for name, most, limit in others if result.samples else ():
        if limit is not None and (most is None or most >= limit):
            raise ValueError(
                f"{result.migration} has the verdict within, but its {name} may exceed the limit"
            )
    return result
