"""Row counts of the tables that a migration accesses and that ``rows`` does not name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_effects import (
    few_rows,
    grows_with,
    is_guarded,
    is_only_joined,
    worked_on,
)
from pytest_membudget.judge.gap import Gap, table_without_model, unnamed_table
from pytest_membudget.processes.messages.orders import StateTables, TableModel
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.sql.table_names import finds_one

# Fewer of a table's rows than this share hide what all of them would take.
_ENOUGH = 0.5

# From row counts of further models, and the unique columns by table, to a run with these.
Probe = Callable[[Mapping[str, int], Mapping[str, list[list[str]]]], Run]


class RowSources:
    """Compares the samples of a check with the ``rows`` that were stated.

    ``gaps`` are tables whose row count is not known, ``production`` is what is known of others.  A
    table that is known not to matter is not considered again.
    """

    def __init__(self, plan: CheckPlan) -> None:
        self.gaps: list[Gap] = []
        self.production = plan.production
        self._plan = plan
        self._settled: set[str] = set()
        self._present: StateTables | None = None

    def look_at(
        self, sample: Sample, seeded: SeededDatabase, named: Mapping[str, int], probe: Probe
    ) -> dict[str, int]:
        """Row counts by model that ``named`` lacks and production is known to have."""
        done, few = sample.run, dict[str, int]()
        while True:
            tables = self._unnamed(done, seeded, named)
            there = seeded.count(tables) if tables else {}
            undecided = [
                table
                for table in tables
                if not there[table] and table not in few and not self._grows(table, done)
            ]
            if not undecided:
                break
            few |= {table: few_rows(self._known(table)) for table in undecided}
            done = probe(self._to_seed(few), {table: self._uniques(table) for table in few})
            if done.outcome != Outcome.FINISHED:
                self.gaps += [self._gap(table) for table in undecided]
                return {}
        scale = sample.size / max(named.values())
        found: dict[str, int] = {}
        for table in tables:
            rows = self._decide(table, there[table], done, sample, scale)
            if isinstance(rows, Gap):
                self.gaps.append(rows)
            elif rows is not None:
                found[self._models[table].label] = rows
            self._settled.add(table)
        return found

    def _unnamed(self, done: Run, seeded: SeededDatabase, named: Mapping[str, int]) -> list[str]:
        """Tables that it accessed, were there before it, and are none of the ``named`` models."""
        known = {*seeded.tables.values(), *self._settled}
        in_database = self._plan.budget.depends_on_tables
        accessed_tables = (worked_on(done) if in_database else done.accessed_tables.keys()) - known
        if accessed_tables and self._present is None:
            self._present = seeded.present()
        return sorted(
            table
            for table in accessed_tables
            if (self._present and table in self._present.others)
            or (table in self._models and self._models[table].label not in named)
        )

    def _decide(
        self, table: str, there: int, done: Run, sample: Sample, scale: float
    ) -> int | Gap | None:
        """How many rows production has of it, where that matters; a gap where that is unknown."""
        grows, known = self._grows(table, done), self._known(table)
        if table not in self._models or self._plan.budget.seed:
            return None if there or not grows or known == 0 else self._gap(table)
        model = self._models[table]
        if there and not model.through:
            # Rows that others refer to, or those of an earlier migration.
            expected = (known or 0) * (scale if model.label in sample.seeded else 1)
            return known if grows and there < _ENOUGH * expected else None
        if known is not None:
            wanted = grows or is_only_joined(table, done) or not known
            return known if wanted and (known or there) else None
        if self._plan.budget.depends_on_tables:
            return self._gap(table)
        by_key = all(finds_one(way, self._uniques(table)) for way in done.accessed_tables[table])
        return self._gap(table) if grows and not by_key else None

    def _gap(self, table: str) -> Gap:
        if table not in self._models:
            return table_without_model(table)
        seed = self._plan.budget.seed is not None
        return unnamed_table(self._models[table].label, self._known(table), seed=seed)

    def _grows(self, table: str, done: Run) -> bool:
        if self._plan.budget.depends_on_tables:
            return True
        uniques = self._uniques(table)
        return is_guarded(table, done, uniques) or grows_with(table, done, uniques)

    def _known(self, table: str) -> int | None:
        if table not in self._models:
            return None
        return self.production.rows(table, self._models[table].label)

    def _uniques(self, table: str) -> list[list[str]]:
        return self._models[table].uniques if table in self._models else []

    def _to_seed(self, few: Mapping[str, int]) -> dict[str, int]:
        if self._plan.budget.seed:
            return {}
        return {
            self._models[table].label: rows for table, rows in few.items() if table in self._models
        }

    @property
    def _models(self) -> dict[str, TableModel]:
        return self._present.models if self._present else {}
