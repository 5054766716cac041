"""What the samples so far say about a budget: points, projection, verdict, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pytest_membudget.budget import Budget
from pytest_membudget.findings import Finding, find, touched_share
from pytest_membudget.ladder import Ladder
from pytest_membudget.measurement import Sample
from pytest_membudget.projection import (
    FLOOR_ROWS,
    REPEATABILITY,
    REPEATABILITY_OF_TREES,
    Projection,
    fits_up_to,
    project,
)
from pytest_membudget.result import Result
from pytest_membudget.verdict import ERROR, EXCEEDS, TOUCHED_ALL, Verdict, judge

_ENOUGH = 3


@dataclass
class Evidence:
    """The samples of one check and what is known about them.

    ``tables`` maps the budget's models to their tables; ``touches_rows`` says that the migration
    is expected to read or write rows; ``fresh`` are the columns that were seeded empty, by table.
    """

    budget: Budget
    touches_rows: bool
    database: dict[str, str | None] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, list[str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    @property
    def ladder(self) -> Ladder:
        return Ladder(max(self.budget.rows.values()), self.budget.time_budget)

    @property
    def finished(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.finished]

    @property
    def points(self) -> list[tuple[float, float]]:
        """What is projected from; with two samples only, their baseline is the third point."""
        climbed = self.ladder.climb(self.samples)
        points = [(float(one.size), float(one.run.peak)) for one in climbed]
        baseline = climbed[0].run.baseline if len(climbed) == 2 else None
        return points if baseline is None else [(0.0, float(baseline)), *points]

    def touched(self, sample: Sample) -> float | None:
        """The share of the seeded rows that it read or wrote; None where none is expected."""
        return touched_share(sample, self.tables) if self.touches_rows else None

    def touched_last(self) -> float | None:
        """The same of the last sample that finished; None without one as well."""
        return self.touched(self.finished[-1]) if self.finished else None

    def projection(self) -> Projection | None:
        """To production's row count; it reaches up to where every seeded row would be touched."""
        seen = max(sample.run.peak for sample in self.samples)
        noise = self._noise
        projection = project(self.points, self.ladder.rows, noise)
        if projection is None:
            return None
        projection = replace(
            projection,
            low=max(projection.low, min(seen, projection.peak) - 2 * noise),
            peak=max(projection.peak, seen),
            high=max(projection.high, seen),
        )
        touched = self.touched_last()
        if not touched or touched > TOUCHED_ALL:
            return projection
        baseline = self.finished[-1].run.baseline or 0
        whole = baseline + (projection.high - baseline) / touched
        return replace(projection, high=max(projection.high, whole))

    def crossing(self) -> float | None:
        """At how many rows, of the model with the most, the limit is expected to be passed."""
        projection = self.projection()
        if projection is None or projection.peak <= self.budget.limit:
            return None
        return self._limit_passed_at(projection)

    def fits(self) -> int | None:
        """How many rows of the counted model fit; None where it isn't known or there is no end."""
        projection = self.projection()
        fits = None if projection is None else self._limit_passed_at(projection)
        return None if fits is None else int(fits * self._counted_share)

    def _limit_passed_at(self, projection: Projection) -> float | None:
        return fits_up_to(self.points, projection, self.budget.limit, self._noise)

    def verdict(self) -> Verdict:
        projection = self.projection()
        return judge(
            self.budget,
            self.samples,
            projection,
            touched=self.touched_last(),
            fits=self.fits(),
            evidence=projection is not None and self._is_enough(projection),
        )

    def result(self, nodeid: str, verdict: Verdict, duration: float, details: str) -> Result:
        """Everything that the reports need, of a check that took ``duration`` seconds."""
        budget, finished = self.budget, self.finished
        projection = None if verdict.verdict == ERROR else self.projection()
        projected = self.ladder.duration(finished, self.ladder.rows) if finished else None
        result = Result(
            nodeid=nodeid,
            migration=budget.label,
            reverse=budget.reverse,
            database=self.database,
            rows=budget.rows,
            limit_bytes=budget.limit,
            limit_source=budget.limit_source,
            verdict=verdict.verdict,
            basis=verdict.basis,
            reason=verdict.reason,
            findings=tuple(self._findings(projected)),
            peak_bytes=max(sample.run.peak for sample in self.samples)
            if verdict.verdict == EXCEEDS
            else None,
            baseline_bytes=self.samples[0].run.baseline if self.samples else None,
            duration_s=duration,
            projected_duration_s=None if projected is None else round(projected, 3),
            samples=tuple(self.samples),
            details=details,
        )
        if projection is None:
            return result
        per_row = None if projection.growth is None else projection.slope / self._counted_share
        return replace(
            result,
            peak_bytes=round(projection.peak),
            peak_low_bytes=round(projection.low),
            peak_high_bytes=round(projection.high),
            bytes_per_row=None if per_row is None else round(per_row),
            growth=projection.growth,
            fits_up_to_rows=self.fits(),
        )

    def _findings(self, projected_duration: float | None) -> list[Finding]:
        return find(
            self.budget,
            self.samples,
            vendor=self.database["vendor"],
            touched=self.touched_last(),
            fresh=self.fresh,
            projected_duration=projected_duration,
        )

    def _is_enough(self, projection: Projection) -> bool:
        if projection.measured:
            return True
        climbed = self.ladder.climb(self.samples)
        if projection.low <= self.budget.limit:
            climbed = [sample for sample in climbed if sample.size >= FLOOR_ROWS / 2]
        return len(climbed) >= _ENOUGH and not self._is_refuted()

    def _is_refuted(self) -> bool:
        """Whether a sample that was stopped had passed what the others project for it."""
        last = self.samples[-1]
        expected = None if last.finished else project(self.points, last.size)
        return expected is not None and last.run.peak > expected.high

    @property
    def _noise(self) -> float:
        alone = all(sample.run.processes == 1 for sample in self.samples)
        peak = max(sample.run.peak for sample in self.samples)
        return REPEATABILITY if alone else REPEATABILITY_OF_TREES * peak

    @property
    def _counted_share(self) -> float:
        """How many rows of the counted model there are for one of the largest."""
        return self.budget.rows[self.budget.counted_model] / self.ladder.rows
