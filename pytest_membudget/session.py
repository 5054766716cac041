"""The loop of one check: seed -> clone -> apply -> sample -> project -> again, or a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pytest_membudget.conclusion import conclude, conclude_weighed
from pytest_membudget.coverage import TOUCHED_HALF
from pytest_membudget.dry_run import Weighed
from pytest_membudget.errors import StageError
from pytest_membudget.evidence import Evidence
from pytest_membudget.frames import short_path
from pytest_membudget.matching import asked_for
from pytest_membudget.measurement import Sample
from pytest_membudget.projection import MIB
from pytest_membudget.result import Attribution, Result
from pytest_membudget.schema_only import weigh
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.subject import Subject
from pytest_membudget.survey import with_rows
from pytest_membudget.units import format_rows
from pytest_membudget.verdict import ERROR, EXCEEDS, INCONCLUSIVE, WITHIN, Verdict
from pytest_membudget.worker.launcher import run
from pytest_membudget.worker.stage_client import StageClient, Stages

_LEAST_DEADLINE = 5.0
# A clone stands beside its source, and the disk is not ours alone.
_ROOM_SHARE = 0.4
_ROOM_UNKNOWN = 8 * 1024 * MIB

Progress = Callable[[str], None]
# From a size and the seconds left to a sample, and how many rows there is room for on the disk.
Measure = Callable[[int, float], tuple[Sample, float]]


def check(subject: Subject, stages: Stages, nodeid: str, progress: Progress) -> Result:
    """Measure and judge one budget.  What goes wrong in it is a verdict, not an exception."""
    begin = time.monotonic()
    database = {"alias": subject.budget.database, "vendor": None, "version": None}
    evidence = Evidence(
        subject.budget,
        subject.touches_rows,
        subject.thresholds,
        subject.branches,
        database=database,
    )
    attribution = Attribution()
    details = ""
    weighed: Weighed | None = None
    try:
        stage = stages.get(subject.budget.database)
        evidence.database |= {"vendor": stage.vendor, "version": stage.version}
        weighed = weigh(subject, stage, progress) if subject.told_apart else None
        if weighed is None:
            subject, weighed = with_rows(subject, stage, progress)
            evidence.budget = subject.budget
        if weighed is not None:
            verdict = weighed.verdict
        else:
            verdict, attribution = _Check(subject, evidence, progress).measure(stage)
            details = evidence.samples[-1].run.details if verdict.verdict == ERROR else ""
    except StageError as error:
        verdict = Verdict(ERROR, None, f"{subject.budget.label}: {error}")
        details = error.details
    seconds = time.monotonic() - begin
    files = tuple(short_path(file) for file in subject.files)
    if weighed is not None:
        result = conclude_weighed(evidence, nodeid, weighed, seconds)
    else:
        result = conclude(evidence, nodeid, verdict, seconds, details)
    return replace(result, files=files, attribution=attribution)


def climb(
    evidence: Evidence, measure: Measure, clock: Callable[[], float] = time.monotonic
) -> Verdict:
    """Take samples until the verdict is certain, or until the time budget is spent."""
    budget, begin = evidence.budget, clock()
    size: int | None = evidence.ladder.first()
    while size is not None:
        sample, room = measure(size, budget.time_budget - (clock() - begin))
        evidence.samples.append(sample)
        verdict = evidence.verdict()
        if not sample.finished or sample.run.peak > budget.limit:
            break
        size = evidence.ladder.next(
            evidence.samples,
            clock() - begin,
            decided=verdict.verdict in (WITHIN, EXCEEDS),
            narrow=evidence.is_narrow(),
            exceeds=verdict.verdict == EXCEEDS,
            crossing=evidence.crossing(),
            past=evidence.past(),
            largest=room,
        )
    return verdict


class _Check:
    def __init__(self, subject: Subject, evidence: Evidence, progress: Progress) -> None:
        self.subject = subject
        self.budget = subject.budget
        self.evidence = evidence
        self.progress = progress

    def measure(self, stage: StageClient) -> tuple[Verdict, Attribution]:
        self.progress("building the state before it")
        production = self.subject.production
        bed = Seedbed(stage, self.budget, self.subject.applied, production.shape or None)
        self.evidence.tables = bed.tables
        self.evidence.notes = production.notes(bed.tables)
        try:
            verdict = climb(self.evidence, partial(self._sample, bed))
            return verdict, self._attribution(bed, verdict)
        finally:
            bed.close()

    def _attribution(self, bed: Seedbed, verdict: Verdict) -> Attribution:
        wanted = self.subject.attribution
        unclear = verdict.verdict == INCONCLUSIVE and self.evidence.is_in_danger()
        failed = verdict.verdict == EXCEEDS or unclear
        asked = wanted == "always" and verdict.verdict == WITHIN
        if wanted == "never" or not (failed or asked):
            return Attribution()
        try:
            from pytest_membudget.attribution.investigation import investigate
        except ImportError as error:
            return Attribution(note=f"memray can't run here: {error}")
        subject = self.subject
        return investigate(
            self.evidence,
            bed,
            subject.files,
            subject.order,
            self.progress,
            mixed=subject.mixed,
        )

    def _sample(self, bed: Seedbed, size: int, left: float) -> tuple[Sample, float]:
        sample, room = self._apply(bed, size, left)
        if not self.evidence.samples and self.budget.seed is None:
            sample = self._with_rows_that_match(bed, sample)
        return sample, room

    def _apply(self, bed: Seedbed, size: int, left: float) -> tuple[Sample, float]:
        """One sample, and how many rows there is room for on the disk."""
        rows = bed.rows(size)
        counted = f"{format_rows(rows[self.budget.counted_model])} {self.budget.counted_model}"
        self.progress(f"seeding {counted} rows")
        seeded = bed.fill(size)
        name = bed.clone()
        following = self.evidence.ladder.sure(self.evidence.samples, size)
        if following is not None:
            bed.fill_ahead(following)
        self.progress(f"applying it to {counted} rows")
        done = run(
            self.subject.order(
                bed,
                name,
                deadline=max(_LEAST_DEADLINE, left),
                stop_above=self.subject.stop_above,
            )
        )
        if following is None:
            bed.drop(name)
        room = _ROOM_UNKNOWN if seeded.room is None else (seeded.room + seeded.size) * _ROOM_SHARE
        sample = Sample(
            rows,
            done,
            seeded.seconds,
            seeded.rows,
            seeded.widths,
            missed=seeded.missed,
            fresh=seeded.fresh,
        )
        return sample, room * size / max(1, seeded.size)

    def _with_rows_that_match(self, bed: Seedbed, sample: Sample) -> Sample:
        """Where its filters left most rows out, look again with the columns as they ask for."""
        touched = self.evidence.touched(sample)
        fresh = asked_for(sample.run, with_values=self.subject.gated)
        # Where most rows were found, another look would lose what was done with these.
        if not sample.finished or touched is None or touched > TOUCHED_HALF or not fresh:
            return sample
        if sample.run.peak > self.budget.limit:
            return sample
        bed.seed_fresh(fresh)
        with suppress(StageError):
            again, _ = self._apply(bed, sample.size, self.budget.time_budget)
            over = again.run.peak > self.budget.limit
            if over or (again.finished and (self.evidence.touched(again) or 0) > touched):
                return again
        bed.seed_fresh({})
        return sample
