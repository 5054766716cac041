"""The samples of one check; the first is taken anew until its rows are those that it looks for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from pytest_membudget.check.learning import learned
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.sampling import Sampling
from pytest_membudget.check.sought_rows import with_rows_sought
from pytest_membudget.errors import ServerError
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.coverage import TOUCHED_HALF, TOUCHED_TOO_FEW, touched_by
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import unnamed_table
from pytest_membudget.judge.matching import filter_values, of_several_rows, unmatched
from pytest_membudget.judge.portions import asked_shares, certain
from pytest_membudget.processes.messages.job import Probes
from pytest_membudget.processes.stopwatch import APPLYING, SURVEY
from pytest_membudget.sample import ForcedValues, Outcome, Run, Sample, Shares


class Sampler(Sampling):
    """Takes samples of more rows, which have in all tables rows that production has rows in."""

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

    def collect_garbage(self, left: float) -> Evidence:
        """The evidence with the blocks that the largest sample holds at its end, without garbage.

        Its rows are gone through once more.
        """
        self._progress("looking at what the migration keeps")
        self.seeded.fill(self.evidence.finished[-1].size)
        with self.seeded.cloned() as name, self._server.stopwatch.of(APPLYING):
            job = self.plan.job(self.seeded, name, deadline=left)
            done = self.seeded.run(replace(job, probes=Probes(folders=[], collect=True)))
        if done.outcome == Outcome.FINISHED:
            self.evidence = self.evidence.with_held(done.facts.kept_blocks or 0)
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
            self._note_most(seeded.fill(sample.size).most)
            job = self.plan.job(seeded, seeded.take().name, deadline=budget.time_budget)
            with self._server.stopwatch.of(SURVEY):
                return seeded.run(replace(job, tables={**seeded.uniques, **uniques}))

    def _with_rows_sought(self, sample: Sample) -> Sample:
        """Where dry runs have not seen it, see what it does with rows that it looks for."""
        if not self._sources:
            return sample

        def again(plan: CheckPlan) -> tuple[CheckPlan, Sample]:
            self._begin_anew(plan)
            found, _ = self._apply(sample.size, self._budget.time_budget)
            return self.plan, found

        plan, found = with_rows_sought(self.plan, sample, sample.run.sought, again)
        if plan is not self.plan:
            self._begin_anew(plan)
            # The rows that the sample had are looked at again.
            self.seeded.fill(sample.size)
        return found

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
        if not forced or (forced == self.plan.forced_values and not known.shares):
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
