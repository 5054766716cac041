"""The result of one check: what every report is a function of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_membudget.findings import Finding
from pytest_membudget.measurement import Sample
from pytest_membudget.verdict import INCONCLUSIVE, WITHIN

SCHEMA = 1


@dataclass(frozen=True)
class Result:
    """One budget and its verdict.  Sizes are bytes, times seconds, unknown figures None.

    ``bytes_per_row`` and ``fits_up_to_rows`` count the first model of ``rows``.
    ``peak_low_bytes`` and ``peak_high_bytes`` are the interval of ``peak_bytes``, the peak RSS at
    production's row count; ``anonymous_bytes`` is what of it the kernel can't reclaim, on which
    it acts.  ``details`` is the traceback or output behind an error.
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
    duration_s: float = 0.0
    projected_duration_s: float | None = None
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    details: str = field(default="", repr=False)

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
        return {
            **plain,
            "findings": [asdict(finding) for finding in self.findings],
            "duration_s": round(self.duration_s, 3),
            "samples": [_sample(sample) for sample in self.samples],
            "attribution": [],
            "advice": [],
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
