"""One sample: rows are seeded, the database is cloned, the migration is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_sources import RowSources
from pytest_membudget.check.sought_rows import settled
from pytest_membudget.database.free_space import FIRST_BYTES, room_for_a_seed
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.lessons import contradictions, findings
from pytest_membudget.judge.unlogged import unlogged_rows
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.stopwatch import APPLYING, STARTING
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_rows

Progress = Callable[[str], None]


class Sampling:
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

    def _note_most(self, most: Mapping[str, int]) -> None:
        """How many rows models can have, those that were seeded."""
        self.plan = self.plan.with_most(most)
        if self._sources:
            self._sources.production = self.plan.production

    def _apply(self, size: int, left: float) -> tuple[Sample, float]:
        """One sample, and how many rows there is room for on the disk."""
        seeded, samples, ladder = self.seeded, self.evidence.samples, self.evidence.ladder
        rows = seeded.rows(size)
        counted = self._budget.counted(rows)
        self._progress(f"seeding {counted} rows")
        first = self._budget.seed is None and not self.evidence.finished
        filled = seeded.fill(size, FIRST_BYTES if first else None)
        self._note_most(filled.most)
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
            done = settled(self.plan, seeded.run(job))
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
