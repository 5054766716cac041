"""The loop of one check: seed -> clone -> apply -> sample -> project -> again, or a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.conclude import conclude, conclude_weighed
from pytest_membudget.check.dry_run import Weighed
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_sources import RowSources
from pytest_membudget.check.schema_only import weigh
from pytest_membudget.check.table_discovery import with_rows
from pytest_membudget.database.free_space import FIRST_BYTES, room_for_a_seed
from pytest_membudget.errors import NoRoom, OutOfTime, ServerError
from pytest_membudget.judge.coverage import TOUCHED_HALF, unnamed_table
from pytest_membudget.judge.estimate import Evidence
from pytest_membudget.judge.matching import filter_values
from pytest_membudget.judge.result import Attribution, Result
from pytest_membudget.judge.unlogged import unlogged_rows
from pytest_membudget.judge.verdict import ERROR, EXCEEDS, INCONCLUSIVE, WITHIN, Verdict
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.server.client import ServerClient, ServerClients
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.project.literals import literals
from pytest_membudget.project.ownership import short_path
from pytest_membudget.sample import Run, Sample
from pytest_membudget.units import format_rows

Progress = Callable[[str], None]
# From a size and the seconds left to a sample, and how many rows there is room for on the disk.
Measure = Callable[[int, float], tuple[Sample, float]]


def check(plan: CheckPlan, servers: ServerClients, nodeid: str, progress: Progress) -> Result:
    """Measure and judge one budget.  What goes wrong in it is a verdict, not an exception."""
    begin = time.monotonic()
    database = {"alias": plan.budget.database, "vendor": None, "version": None}
    evidence = Evidence(
        plan.budget,
        plan.touches_rows,
        plan.thresholds,
        plan.branches,
        database=database,
        literals=literals(plan.files),
    )
    attribution = Attribution()
    details = ""
    weighed: Weighed | None = None
    try:
        server = servers.get(plan.budget.database)
        with server.bound_to(Deadline(plan.budget.time_budget), progress):
            evidence.database |= {"vendor": server.vendor, "version": server.version}
            weighed = weigh(plan, server, progress) if plan.skip_reason else None
            # Those that a survey finds are all that it goes to.
            sources = RowSources(plan) if plan.budget.rows else None
            if weighed is None:
                plan, weighed = with_rows(plan, server, progress)
                evidence.budget = plan.budget
            if weighed is not None:
                verdict = weighed.verdict
            else:
                verdict, attribution = _Check(plan, evidence, progress, server, sources).measure()
                details = evidence.samples[-1].run.details if verdict.verdict == ERROR else ""
    except ServerError as error:
        verdict = Verdict(ERROR, None, f"{plan.budget.label}: {error}")
        details = error.details
    seconds = time.monotonic() - begin
    files = tuple(short_path(file) for file in plan.files)
    if weighed is not None:
        result = conclude_weighed(evidence, nodeid, weighed, seconds)
    else:
        result = conclude(evidence, nodeid, verdict, seconds, details)
    return servers.secrets.hide_in(replace(result, files=files, attribution=attribution))


def climb(
    evidence: Evidence,
    measure: Measure,
    clock: Callable[[], float] = time.monotonic,
    begin: float | None = None,
) -> Verdict:
    """Take samples until the verdict is certain, or until the time budget is spent.

    ``begin`` is what ``clock`` said when the check began; now, by default.
    """
    begin = clock() if begin is None else begin
    size: int | None = evidence.ladder.first()
    while size is not None:
        try:
            sample, room = measure(size, evidence.budget.time_budget - (clock() - begin))
        except NoRoom:
            if evidence.samples:
                return evidence.verdict()
            if size == 1:
                raise
            size = evidence.ladder.half(size)
            continue
        except OutOfTime:
            if evidence.samples:
                return evidence.verdict()
            raise
        evidence.samples.append(sample)
        verdict = evidence.verdict()
        if not sample.finished or sample.run.peak > evidence.budget.limit or evidence.unnamed:
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
    def __init__(
        self,
        plan: CheckPlan,
        evidence: Evidence,
        progress: Progress,
        server: ServerClient,
        sources: RowSources | None,
    ) -> None:
        self.plan = plan
        self.evidence = evidence
        self.progress = progress
        self.server = server
        self.sources = sources
        self._added: dict[str, int] = {}
        self.seeded = self._seedbed(self.budget)

    @property
    def budget(self) -> Budget:
        return self.plan.budget

    def measure(self) -> tuple[Verdict, Attribution]:
        self._describe_tables()
        deadline = self.server.deadline or Deadline(self.budget.time_budget)
        try:
            verdict = climb(self.evidence, self._sample, deadline.spent, begin=0)
            self._note_refusals()
            # An explanation may take as long as the check.
            self.server.deadline = Deadline(self.budget.time_budget)
            return verdict, self._attribution(self.seeded, verdict)
        finally:
            self.seeded.close()

    def _seedbed(self, budget: Budget) -> SeededDatabase:
        self.progress("building the state before it")
        shape = self.plan.production.shape or None
        return SeededDatabase(self.server, budget, self.plan.applied, shape)

    def _describe_tables(self) -> None:
        self.evidence.tables = self.seeded.tables
        self.evidence.notes = self.plan.production.notes(self.seeded.tables)
        if self._added:
            counts = ", ".join(f"{format_rows(n)} {label}" for label, n in self._added.items())
            note = f"rows does not name tables that it accesses, seeded as in production: {counts}"
            self.evidence.notes = [*self.evidence.notes, ("rows-added", note)]

    def _note_refusals(self) -> None:
        with suppress(ServerError):
            if refused := self.seeded.refusals():
                note = (
                    "an earlier migration, a receiver or the seed was refused "
                    f"{' and '.join(refused)}; the rows may be others than in production"
                )
                self.evidence.notes = [*self.evidence.notes, ("access-refused-before", note)]

    def _attribution(self, seeded: SeededDatabase, verdict: Verdict) -> Attribution:
        wanted = self.plan.attribution
        unclear = verdict.verdict == INCONCLUSIVE and self.evidence.is_in_danger()
        failed = verdict.verdict == EXCEEDS or unclear
        asked = wanted == "always" and verdict.verdict == WITHIN
        if wanted == "never" or not (failed or asked):
            return Attribution()
        try:
            from pytest_membudget.attribution.investigation import investigate
        except ImportError as error:
            return Attribution(note=f"memray can't run here: {error}")
        plan = self.plan
        return investigate(
            self.evidence,
            seeded,
            plan.files,
            plan.job,
            self.progress,
            mixed=plan.mixed,
        )

    def _sample(self, size: int, left: float) -> tuple[Sample, float]:
        """A sample, the first one with rows in all tables that production has rows in."""
        sample, room = self._apply(self.seeded, size, left)
        first = not self.evidence.samples
        smaller = size < self.evidence.ladder.first()
        while first:
            if self.budget.seed is None:
                sample = self._with_rows_that_match(self.seeded, sample)
            if not self._add_rows(sample):
                return sample, room
            again = self.evidence.ladder.first()
            sample, room = self._apply(self.seeded, min(size, again) if smaller else again, left)
        self._add_rows(sample)
        return sample, room

    def _add_rows(self, sample: Sample) -> bool:
        """Whether ``rows`` leaves tables out, so that the first sample has to be taken anew."""
        if self.sources is None or not sample.finished or sample.run.peak > self.budget.limit:
            return False
        probe = partial(self._probe, sample)
        found = self.sources.look_at(sample, self.seeded, self.budget.rows, probe)
        if self.evidence.samples:
            self.sources.gaps += [unnamed_table(*one) for one in found.items()]
        self.evidence.unnamed = self.sources.gaps
        if not found or self.evidence.samples:
            return False
        self.seeded.close()
        self._added |= found
        budget = replace(self.budget, rows={**self.budget.rows, **found})
        self.plan = replace(self.plan, budget=budget)
        self.evidence.budget = budget
        self.seeded = self._seedbed(budget)
        self._describe_tables()
        return True

    def _probe(
        self, sample: Sample, few: Mapping[str, int], uniques: Mapping[str, list[list[str]]]
    ) -> Run:
        """A run over as many rows, and a few of further models."""
        largest = max(self.budget.rows.values())
        further = {label: -(-n * largest // sample.size) for label, n in few.items()}
        rows = {label: min(n, largest) for label, n in further.items()}
        self.progress("finding the rows of tables that rows= does not name")
        seeded = self._seedbed(replace(self.budget, rows={**self.budget.rows, **rows}))
        try:
            if sample.forced_values:
                seeded.force_values(sample.forced_values)
            seeded.fill(sample.size)
            job = self.plan.job(
                seeded,
                seeded.clone(),
                deadline=self.budget.time_budget,
                stop_above=self.plan.stop_above,
            )
            return run(replace(job, tables={**seeded.uniques, **uniques}))
        finally:
            seeded.close()

    def _apply(self, seeded: SeededDatabase, size: int, left: float) -> tuple[Sample, float]:
        """One sample, and how many rows there is room for on the disk."""
        rows = seeded.rows(size)
        counted = f"{format_rows(rows[self.budget.counted_model])} {self.budget.counted_model}"
        self.progress(f"seeding {counted} rows")
        first = self.budget.seed is None and not self.evidence.samples
        filled = seeded.fill(size, FIRST_BYTES if first else None)
        name = seeded.clone()
        following = self.evidence.ladder.sure(self.evidence.samples, size)
        room = room_for_a_seed(filled.room, filled.size) * size / max(1, filled.size)
        if following is not None and following > room:
            following = None
        if following is not None:
            seeded.fill_ahead(following)
        self.progress(f"applying it to {counted} rows")
        done = run(
            self.plan.job(
                seeded,
                name,
                deadline=left,
                stop_above=self.plan.stop_above,
            )
        )
        unlogged = {}
        if following is None:
            sizes = {table: rows[label] for label, table in seeded.tables.items()}
            unlogged = unlogged_rows(seeded.activity(name), done, seeded.uniques, sizes)
            seeded.drop(name)
        sample = Sample(
            rows,
            done,
            filled.seconds,
            filled.rows,
            filled.widths,
            profile_mismatches=filled.profile_mismatches,
            forced_values=filled.forced_values,
            crowded=room < 2 * size,
            unlogged=unlogged,
        )
        return sample, room

    def _with_rows_that_match(self, seeded: SeededDatabase, sample: Sample) -> Sample:
        """Where its filters left most rows out, look again with the columns as they ask for."""
        touched = self.evidence.touched(sample)
        forced_values = filter_values(sample.run, with_values=self.plan.gated)
        # Where most rows were found, another look would lose what was done with these.
        if not sample.finished or touched is None or touched > TOUCHED_HALF or not forced_values:
            return sample
        if sample.run.peak > self.budget.limit:
            return sample
        seeded.force_values(forced_values)
        with suppress(ServerError):
            again, _ = self._apply(seeded, sample.size, self.budget.time_budget)
            over = again.run.peak > self.budget.limit
            if over or (again.finished and (self.evidence.touched(again) or 0) > touched):
                return again
        seeded.force_values({})
        return sample
