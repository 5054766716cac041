"""The samples of one check: rows are seeded, the database is cloned, the migration is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.learning import learned
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_sources import RowSources
from pytest_membudget.check.sought_rows import chosen, settled, with_sought
from pytest_membudget.database.free_space import FIRST_BYTES, room_for_a_seed
from pytest_membudget.errors import ServerError
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.coverage import TOUCHED_HALF, TOUCHED_TOO_FEW, touched_by
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap, unnamed_table
from pytest_membudget.judge.lessons import contradictions, findings
from pytest_membudget.judge.matching import filter_values, of_several_rows, unmatched
from pytest_membudget.judge.portions import asked_shares, certain
from pytest_membudget.judge.unlogged import unlogged_rows
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.stopwatch import APPLYING, STARTING, SURVEY
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.sample import ForcedValues, Outcome, Run, Sample, Shares
from pytest_membudget.units import format_rows

Progress = Callable[[str], None]


class Sampler:
    """``evidence`` is the latest; it has what was measured also where a later sample failed.

    ``sources`` are the row counts of tables that ``rows`` leaves out; None where dry runs have
    found all tables.
    """

    def __init__(
        self,
        plan: CheckPlan,
        evidence: Evidence,
        server: ServerClient,
        progress: Progress,
        sources: RowSources | None,
    ) -> None:
        self.plan = plan
        self._server = server
        self._progress = progress
        self._sources = sources
        self._added: dict[str, int] = {}
        self.seeded = self._seeded_database(self._budget)
        self.seeded.force_values(plan.forced_values)
        self.evidence = self._described(evidence)

    @property
    def _budget(self) -> Budget:
        return self.plan.budget

    @property
    def _gaps(self) -> tuple[Gap, ...]:
        """What is missing of row counts."""
        found = self._sources.gaps if self._sources else ()
        gaps = *self.plan.unknown, *found, *contradictions(self.plan.lessons)
        return tuple(dict.fromkeys(gaps))

    def sample(self, evidence: Evidence, size: int, left: float) -> tuple[Evidence, float]:
        """The evidence with one more sample, and how many rows there is room for on the disk.

        The first sample has rows in all tables that production has rows in.
        """
        self.evidence = evidence
        first, smaller = not evidence.finished, size < evidence.ladder.first()
        sample, room = self._apply(size, left)
        again, sample = learned(self.plan, self.seeded, sample)
        while first and again is not None:
            self._begin_anew(again)
            sample, room = self._apply(size, left)
            again, sample = learned(self.plan, self.seeded, sample)
        while first:
            if self._budget.seed is None:
                sample = self._with_rows_that_match(self._with_rows_sought(sample))
            if not self._add_rows(sample):
                break
            larger = self.evidence.ladder.first()
            sample, room = self._apply(min(size, larger) if smaller else larger, left)
        else:
            self._add_rows(sample)
        self.evidence = self.evidence.with_sample(sample)
        return self.evidence, room

    def assume_nothing(self, size: int, left: float) -> Evidence:
        """The evidence of a sample of rows that have values which statements ask for only where the
        profile says so; what there was before where that one does not pass the limit.
        """
        last, known = self.evidence.samples[-1], self.plan.production.shares
        try:
            self.seeded.force_values(*certain(last, known))
            sample, _ = self._apply(size, left)
            if sample.run.peak > self._budget.limit:
                self.evidence = replace(self.evidence, samples=(sample,))
        finally:
            if last in self.evidence.samples:
                self.seeded.force_values(last.forced_values, last.shares)
        return self.evidence

    def refusals(self) -> Evidence:
        """The evidence with a note of what was refused before the migration ran."""
        with suppress(ServerError):
            if refused := self.seeded.refusals():
                message = (
                    "an earlier migration, a signal receiver or the seed function tried to use "
                    f"{' and '.join(refused)}, which was refused; the rows may differ from "
                    "production's"
                )
                note = Finding(FindingCode.ACCESS_REFUSED_BEFORE, message)
                self.evidence = replace(self.evidence, notes=(*self.evidence.notes, note))
        return self.evidence

    def _seeded_database(self, budget: Budget) -> SeededDatabase:
        self._progress("building the state before the migration")
        shape = self.plan.production.shape or None
        lessons = (*self.plan.lessons, *self.plan.sought)
        return SeededDatabase(self._server, budget, self.plan.applied, shape, lessons)

    def _begin_anew(self, plan: CheckPlan) -> None:
        self.plan = plan
        self.seeded.close()
        self.seeded = self._seeded_database(self._budget)
        self.seeded.force_values(plan.forced_values)
        self.evidence = self._described(self.evidence)

    def _described(self, evidence: Evidence) -> Evidence:
        tables, plan = self.seeded.tables, self.plan
        notes = (*plan.production.notes(tables), *findings(plan.lessons, plan.sought))
        if self._added:
            counts = ", ".join(f"{format_rows(n)} {label}" for label, n in self._added.items())
            message = (
                "tables that the migration accesses and that rows= does not name were seeded "
                f"with production's row counts: {counts}"
            )
            notes = (*notes, Finding(FindingCode.ROWS_ADDED, message))
        return replace(
            evidence, budget=self._budget, tables=tables, notes=notes, unnamed=self._gaps
        )

    def _add_rows(self, sample: Sample) -> bool:
        """Whether ``rows`` leaves tables out, so that the first sample has to be taken anew."""
        if self._sources is None or not sample.finished or sample.run.peak > self._budget.limit:
            return False
        probe = partial(self._probe, sample)
        found = self._sources.look_at(sample, self.seeded, self._budget.rows, probe)
        if self.evidence.finished:
            self._sources.gaps += [unnamed_table(*one) for one in found.items()]
        self.evidence = replace(self.evidence, unnamed=self._gaps)
        if not found or self.evidence.finished:
            return False
        self._added |= found
        budget = replace(self._budget, rows={**self._budget.rows, **found})
        self._begin_anew(replace(self.plan, budget=budget))
        return True

    def _probe(
        self, sample: Sample, few: Mapping[str, int], uniques: Mapping[str, list[list[str]]]
    ) -> Run:
        """A run over as many rows, and a few of further models."""
        largest = self._budget.largest
        further = {label: -(-n * largest // sample.size) for label, n in few.items()}
        rows = {label: min(n, largest) for label, n in further.items()}
        self._progress("finding the row counts of tables that rows= does not name")
        budget = replace(self._budget, rows={**self._budget.rows, **rows})
        with closing(self._seeded_database(budget)) as seeded:
            if sample.forced_values:
                seeded.force_values(sample.forced_values, sample.shares)
            seeded.fill(sample.size)
            job = self.plan.job(seeded, seeded.clone(), deadline=budget.time_budget)
            with self._server.stopwatch.of(SURVEY):
                return run(replace(job, tables={**seeded.uniques, **uniques}))

    def _apply(self, size: int, left: float) -> tuple[Sample, float]:
        """One sample, and how many rows there is room for on the disk."""
        seeded, samples, ladder = self.seeded, self.evidence.samples, self.evidence.ladder
        rows = seeded.rows(size)
        counted = self._budget.counted(rows)
        self._progress(f"seeding {counted} rows")
        first = self._budget.seed is None and not self.evidence.finished
        filled = seeded.fill(size, FIRST_BYTES if first else None)
        name = seeded.clone()
        # One without rows may be decided by this sample.
        following = None if self.evidence.settled else ladder.sure(samples, size)
        room = room_for_a_seed(filled.free, filled.size) * size / max(1, filled.size)
        if following is not None and following > room:
            following = None
        if following is not None:
            seeded.fill_ahead(following)
        self._progress(f"applying the migration to {counted} rows")
        job = self.plan.job(seeded, name, deadline=left)
        stopwatch = self._server.stopwatch
        if seeded.workers is not None:
            with stopwatch.of(STARTING):
                seeded.workers.wait(left)
        with stopwatch.of(APPLYING):
            done = settled(self.plan, run(job))
        stopwatch.move(done.startup, APPLYING, STARTING)
        unlogged = {}
        if following is None:
            sizes = {table: rows[label] for label, table in seeded.tables.items()}
            unlogged = unlogged_rows(seeded.activity(name), done, seeded.uniques, sizes)
            seeded.drop(name)
        forced = filled.forced_values
        widths = {table: filled.widths.get(label, {}) for label, table in seeded.tables.items()}
        sample = Sample(
            rows,
            done,
            filled.seconds,
            filled.rows,
            filled.tables,
            filled.widths,
            profile_mismatches=filled.profile_mismatches,
            forced_values=forced,
            shares=filled.shares,
            narrowed={
                table: self.plan.production.narrowed(table, columns, widths.get(table, {}))
                for table, columns in forced.items()
            },
            copied={
                label: self.plan.production.narrower(table, filled.widths.get(label))
                for label, table in seeded.tables.items()
                if label in filled.copied
            },
            crowded=room < 2 * size,
            unlogged=unlogged,
        )
        return sample, room

    def _with_rows_sought(self, sample: Sample) -> Sample:
        """Where dry runs have not seen it, see what it does with rows that it looks for."""
        sought = with_sought(self.plan, sample.run) if self._sources else None
        if sought is None or not sample.finished or sample.run.peak > self._budget.limit:
            return sample
        before = self.plan
        with suppress(ServerError):
            self._begin_anew(sought)
            again, _ = self._apply(sample.size, self._budget.time_budget)
            if again.finished:
                plan = chosen(before, sample.run, sought, again.run)
                if plan is sought:
                    return again
                before = plan
        self._begin_anew(before)
        return replace(sample, run=settled(before, sample.run))

    def _with_rows_that_match(self, sample: Sample) -> Sample:
        """Where its filters left most rows out, take the sample again with rows that match them, or
        with as many as production has where the profile knows that.
        """
        touched = touched_by(self.evidence, sample)
        if not sample.finished or touched is None:
            return sample
        known = asked_shares(sample.run, self.plan.production.shares)
        forced: ForcedValues = filter_values(sample.run, empty=self.plan.gated is None)
        if sample.run.peak > self._budget.limit:
            forced = known.values
        elif touched > TOUCHED_HALF:
            # With other values another sample would lose what was done with these rows.
            forced = known.values or (of_several_rows(forced) if unmatched(sample) else {})
        if touched:
            forced = known.without_followed(forced)
        if not forced or forced == self.plan.forced_values:
            return sample
        with suppress(ServerError):
            again = self._forced(forced, known.shares, sample.size)
            over = again.run.peak > self._budget.limit
            if over or (again.finished and again.shares):
                return again
            found, missed = touched_by(self.evidence, again) or 0, len(unmatched(again))
            if again.finished and (found, -missed) > (touched, -len(unmatched(sample))):
                return again
            if again.run.outcome == Outcome.RAISED and touched < TOUCHED_TOO_FEW:
                return again
        self.seeded.force_values(self.plan.forced_values)
        return sample

    def _forced(self, forced: ForcedValues, shares: Shares, size: int) -> Sample:
        """A sample of rows with these values, and with what is learned where it breaks on them."""
        while True:
            self.seeded.force_values(forced, shares)
            sample, _ = self._apply(size, self._budget.time_budget)
            again, sample = learned(self.plan, self.seeded, sample)
            if again is None:
                return sample
            self._begin_anew(again)
