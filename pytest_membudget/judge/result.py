"""The result of one check: what every report is a function of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_membudget.finding import Finding
from pytest_membudget.judge.verdict import INCONCLUSIVE, MEASURED, PROJECTED, WITHIN
from pytest_membudget.sample import Sample

SCHEMA = 1


@dataclass(frozen=True)
class Place:
    """A line of code.  ``source`` is its text, empty where there is none."""

    file: str
    line: int | None
    function: str
    source: str


@dataclass(frozen=True)
class Line:
    """What one line adds to the peak with each row.

    ``place`` is the project's line, ``via`` the library's under it.  ``share`` is of the measured
    ``bytes_per_row``, ``bytes`` what it comes to at production's row count; ``kind`` is
    ``"python"``, ``"c"`` for memory of a C library, ``"allocator"`` for what was not asked for.
    """

    place: Place
    via: Place | None
    kind: str
    bytes_per_row: int
    share: float
    bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        figures = {
            name: getattr(self, name) for name in ("kind", "bytes_per_row", "share", "bytes")
        }
        return {**asdict(self.place), **figures, "via": self.via and asdict(self.via)}


@dataclass(frozen=True)
class Advice:
    """A change to one line.  ``bytes_per_row`` is what it would save, ``peak_bytes`` what would
    remain at production's row count; ``tried`` says that both were measured with the change made.
    """

    code: str
    message: str
    evidence: str
    file: str
    line: int | None
    bytes_per_row: int | None = None
    peak_bytes: int | None = None
    tried: bool = False


@dataclass(frozen=True)
class Attribution:
    """Why the peak grows.  ``stacks`` are what memray's flame graph is drawn from, plain JSON;
    ``note`` says what the lines leave unexplained, or why there are none.
    """

    lines: tuple[Line, ...] = ()
    advice: tuple[Advice, ...] = ()
    note: str | None = None
    stacks: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Result:
    """One budget and its verdict.  Sizes are bytes, times seconds, unknown figures None.

    One that is ``within`` has a peak, or making it raises ValueError.

    ``bytes_per_row`` and ``fits_up_to_rows`` count the first model of ``rows``.
    ``peak_low_bytes`` and ``peak_high_bytes`` are the interval of ``peak_bytes``, the peak RSS at
    production's row count; ``anonymous_bytes`` is what of it the kernel can't reclaim, on which
    it acts.  ``files`` are those of the migrations.  ``details`` is the traceback or output
    behind an error.
    """

    nodeid: str
    migration: str
    reverse: bool
    database: dict[str, str | None]
    rows: dict[str, int]
    limit_bytes: int
    limit_source: str
    verdict: str
    basis: str | None
    reason: str
    findings: tuple[Finding, ...] = ()
    peak_bytes: int | None = None
    peak_low_bytes: int | None = None
    peak_high_bytes: int | None = None
    anonymous_bytes: int | None = None
    baseline_bytes: int | None = None
    bytes_per_row: int | None = None
    growth: str | None = None
    fits_up_to_rows: int | None = None
    time_budget_s: float | None = None
    duration_s: float = 0.0
    projected_duration_s: float | None = None
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = ()
    attribution: Attribution = Attribution()
    details: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Nothing is ``within`` unless its peak is known, with a basis, and under the limit."""
        if self.verdict != WITHIN:
            return
        high = self.peak_high_bytes or self.peak_bytes
        if self.peak_bytes is None or high is None or self.basis not in (MEASURED, PROJECTED):
            raise ValueError(f"{self.migration} is within the limit, and no peak was measured")
        if max(high, self.peak_bytes) >= self.limit_bytes:
            raise ValueError(f"{self.migration} is within the limit, and its peak may be over it")

    @property
    def ok(self) -> bool:
        return self.verdict == WITHIN

    @property
    def inconclusive(self) -> bool:
        return self.verdict == INCONCLUSIVE

    def to_dict(self) -> dict[str, Any]:
        """The result as schema 1 has it, of plain JSON values."""
        names = [name for name in self.__dataclass_fields__ if name != "details"]
        plain = {name: getattr(self, name) for name in names}
        why = self.attribution
        return {
            **plain,
            "files": list(self.files),
            "findings": [asdict(finding) for finding in self.findings],
            "duration_s": round(self.duration_s, 3),
            "samples": [_sample(sample) for sample in self.samples],
            "attribution": [line.to_dict() for line in why.lines],
            "attribution_note": why.note,
            "advice": [asdict(advice) for advice in why.advice],
            "stacks": why.stacks,
        }


def _sample(sample: Sample) -> dict[str, Any]:
    run = sample.run
    return {
        "rows": sample.rows,
        "peak_bytes": run.peak,
        "anonymous_bytes": run.anonymous,
        "duration_s": round(run.duration, 3),
        "seed_s": round(sample.seed_seconds, 3),
        "processes": run.processes,
        "rows_read": sum(run.read.values()),
        "rows_written": sum(run.written.values()),
        "outcome": run.outcome,
        "timeline": [list(point) for point in run.timeline],
    }
