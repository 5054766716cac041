"""The loop of one check: seed -> clone -> apply -> sample -> project -> again, or a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_membudget.budget import Budget
from pytest_membudget.errors import StageError
from pytest_membudget.findings import find, touched_share
from pytest_membudget.ladder import Ladder
from pytest_membudget.measurement import Sample
from pytest_membudget.projection import FLOOR_ROWS, MIB, Projection, fits_up_to, project
from pytest_membudget.result import Result
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.units import format_rows
from pytest_membudget.verdict import (
    ERROR,
    EXCEEDS,
    TOUCHED_ALL,
    TOUCHED_HALF,
    WITHIN,
    Verdict,
    judge,
)
from pytest_membudget.worker.launcher import Order, run
from pytest_membudget.worker.stage_client import Stages

# So far above the limit there is no doubt, and the run's end would tell no more.
_CERTAIN = 1.1
_CERTAIN_BYTES = 32 * MIB
_LEAST_DEADLINE = 5.0
# A clone stands beside its source, and the disk is not ours alone.
_ROOM_SHARE = 0.4
_ROOM_UNKNOWN = 8 * 1024 * MIB

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Subject:
    """A budget with what the project's history says about its migrations.

    ``applied`` are the migrations before it, ``targets`` the arguments of ``manage.py migrate``;
    ``touches_rows`` says that it runs code which is expected to read or write rows.
    """

    budget: Budget
    applied: list[tuple[str, str]]
    targets: list[tuple[str, str]]
    touches_rows: bool


def check(subject: Subject, stages: Stages, nodeid: str, progress: Progress) -> Result:
    """Measure and judge one budget.  What goes wrong in it is a verdict, not an exception."""
    loop = _Check(subject, stages, progress)
    try:
        verdict = loop.climb()
    except StageError as error:
        loop.details = error.details
        verdict = Verdict(ERROR, None, f"{subject.budget.label}: {error}")
    return loop.result(nodeid, verdict)


class _Check:
    def __init__(self, subject: Subject, stages: Stages, progress: Progress) -> None:
        self.begin = time.monotonic()
        self.subject = subject
        self.budget: Budget = subject.budget
        self.stages = stages
        self.database = {"alias": self.budget.database, "vendor": "", "version": ""}
        self.progress = progress
        self.ladder = Ladder(max(self.budget.rows.values()), self.budget.time_budget)
        self.samples: list[Sample] = []
        self.fresh: dict[str, list[str]] = {}
        self.tables: dict[str, str] = {}
        self.details = ""

    def climb(self) -> Verdict:
        self.progress("building the state before it")
        stage = self.stages.get(self.budget.database)
        self.database |= {"vendor": stage.vendor, "version": stage.version}
        bed = Seedbed(stage, self.budget, self.subject.applied)
        try:
            self.tables = bed.tables
            return self._climb(bed)
        finally:
            bed.close()

    def _climb(self, bed: Seedbed) -> Verdict:
        begin = time.monotonic()
        size: int | None = self.ladder.first()
        while size is not None:
            spent = time.monotonic() - begin
            sample, room = self._sample(bed, size, self.budget.time_budget - spent)
            if not self.samples:
                sample = self._with_rows_that_match(bed, sample)
            self.samples.append(sample)
            verdict = self._judge()
            if not sample.finished or sample.run.peak > self.budget.limit:
                return verdict
            size = self.ladder.next(
                self.samples,
                time.monotonic() - begin,
                decided=verdict.verdict in (WITHIN, EXCEEDS),
                crossing=self._crossing(),
                largest=room,
            )
        return verdict

    def _sample(self, bed: Seedbed, size: int, left: float) -> tuple[Sample, float]:
        rows = bed.rows(size)
        counted = f"{format_rows(rows[self.budget.counted_model])} {self.budget.counted_model}"
        self.progress(f"seeding {counted} rows")
        seeded = bed.fill(size)
        name = bed.clone()
        following = self.ladder.sure(self.samples, size)
        if following is not None:
            bed.fill_ahead(following)
        self.progress(f"applying it to {counted} rows")
        done = run(
            Order(
                alias=self.budget.database,
                name=name,
                tables=list(bed.tables.values()),
                targets=self.subject.targets,
                migrations=list(self.budget.migrations),
                reverse=self.budget.reverse,
                deadline=max(_LEAST_DEADLINE, left),
                stop_above=int(self.budget.limit * _CERTAIN) + _CERTAIN_BYTES,
                folder=bed.folder,
            )
        )
        if following is None:
            bed.drop(name)
        room = _ROOM_UNKNOWN if seeded.room is None else (seeded.room + seeded.size) * _ROOM_SHARE
        sample = Sample(rows, done, seeded.seconds, seeded.rows, seeded.widths)
        return sample, room * size / max(1, seeded.size)

    def _with_rows_that_match(self, bed: Seedbed, sample: Sample) -> Sample:
        """Where its filter left most rows out, look again with the filter's columns empty."""
        columns = sample.run.filters
        touched = self._touched(sample)
        if not sample.finished or touched is None or touched > TOUCHED_HALF or not columns:
            return sample
        if self.budget.seed is not None:
            return sample
        bed.seed_fresh(columns)
        again, _ = self._sample(bed, sample.size, self.budget.time_budget)
        if again.finished and (self._touched(again) or 0) > touched:
            self.fresh = columns
            return again
        bed.seed_fresh({})
        return sample

    def _judge(self) -> Verdict:
        projection = self._projection()
        last = self.samples[-1]
        over = projection is not None and projection.low > self.budget.limit
        climbed = len(self.ladder.climb(self.samples)) >= 3
        return judge(
            self.budget,
            self.samples,
            projection,
            touched=self._touched(last),
            fits=self._fits(projection),
            evidence=projection is not None
            and (projection.measured or (climbed and (over or last.size >= FLOOR_ROWS))),
        )

    def _points(self) -> list[tuple[float, float]]:
        return [(one.size, one.run.peak) for one in self.ladder.climb(self.samples)]

    def _projection(self) -> Projection | None:
        projection = project(self._points(), self.ladder.rows)
        finished = [sample for sample in self.samples if sample.finished]
        touched = self._touched(finished[-1]) if finished else None
        if projection is None or not touched or touched > TOUCHED_ALL:
            return projection
        baseline = finished[-1].run.baseline or 0
        whole = baseline + (projection.high - baseline) / touched
        return replace(projection, high=max(projection.high, whole))

    def _touched(self, sample: Sample) -> float | None:
        return touched_share(sample, self.tables) if self.subject.touches_rows else None

    def _crossing(self) -> float | None:
        projection = self._projection()
        if projection is None or projection.peak <= self.budget.limit:
            return None
        return fits_up_to(self._points(), projection, self.budget.limit)

    def _fits(self, projection: Projection | None) -> int | None:
        if projection is None:
            return None
        fits = fits_up_to(self._points(), projection, self.budget.limit)
        return None if fits is None else int(fits * self._counted_share)

    @property
    def _counted_share(self) -> float:
        """How many rows of the counted model there are for one of the largest."""
        return self.budget.rows[self.budget.counted_model] / self.ladder.rows

    def _output(self, verdict: Verdict) -> str:
        """The traceback or the output of the run that is at fault."""
        return self.samples[-1].run.details if self.samples and verdict.verdict == ERROR else ""

    def result(self, nodeid: str, verdict: Verdict) -> Result:
        budget, samples = self.budget, self.samples
        finished = [sample for sample in samples if sample.finished]
        projection = self._projection() if samples else None
        known = projection is not None and verdict.verdict != ERROR
        seen = max((sample.run.peak for sample in samples), default=None)
        projected = self.ladder.duration(finished, self.ladder.rows) if finished else None
        findings = find(
            budget,
            samples,
            vendor=self.database["vendor"],
            touched=self._touched(finished[-1]) if finished else None,
            fresh=self.fresh,
            projected_duration=projected,
        )
        slope = projection.slope / self._counted_share if projection is not None else None
        return Result(
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
            findings=tuple(findings),
            peak_bytes=round(projection.peak) if known else seen,
            peak_low_bytes=round(projection.low) if known else None,
            peak_high_bytes=round(projection.high) if known else None,
            baseline_bytes=samples[0].run.baseline if samples else None,
            bytes_per_row=None if slope is None or projection.growth is None else round(slope),
            growth=projection.growth if known else None,
            fits_up_to_rows=self._fits(projection) if known else None,
            duration_s=time.monotonic() - self.begin,
            projected_duration_s=None if projected is None else round(projected, 3),
            samples=tuple(samples),
            details=self.details or self._output(verdict),
        )
