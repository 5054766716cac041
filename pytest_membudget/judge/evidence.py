"""All that is known of one check: its budget, its samples, and facts of the migration."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.ahead import Ahead
from pytest_membudget.judge.curves import breaks_at
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.ladder import Ladder
from pytest_membudget.judge.matching import loads_no_rows
from pytest_membudget.judge.portions import Portion, are_all_known, portions, rows_of
from pytest_membudget.profile.production import Production
from pytest_membudget.project.comparisons import EACH_ROW
from pytest_membudget.sample import ForcedValues, Sample, Shares, finished


@dataclass(frozen=True)
class Database:
    """The alias of the settings that was migrated, and what it leads to."""

    alias: str | None = None
    vendor: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What a verdict is made of.

    ``touches_rows`` says that the migration is expected to read or write rows, ``named_numbers``
    are the whole numbers of its code, ``branches`` those that it compares a count with.
    ``tables`` maps the budget's models to their tables; ``notes`` are findings from elsewhere;
    ``unnamed`` are gaps of tables whose row counts are unknown; ``production`` says where row
    counts come from that were not asked for; ``literals`` are the values that
    stand in the migration's source.  ``before`` are the seconds that the check took before its
    samples, ``startup`` those that a process takes before the migration begins;
    ``few_peak`` are the bytes of the peak of a dry run with a few rows in each table;
    ``explains`` says that a failure is explained within the time budget.
    """

    budget: Budget
    touches_rows: bool
    named_numbers: Sequence[int] = ()
    branches: Sequence[int] = ()
    database: Database = Database()
    tables: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    notes: tuple[Finding, ...] = ()
    unnamed: tuple[Gap, ...] = ()
    literals: Container[Any] = frozenset()
    before: float = 0.0
    startup: float = 0.0
    few_peak: int | None = None
    explains: bool = False
    production: Production = field(default_factory=Production)

    def with_sample(self, sample: Sample) -> Evidence:
        return replace(self, samples=(*self.samples, sample))

    def with_held(self, blocks: int) -> Evidence:
        """With so many blocks that the largest sample held at its end."""
        last = self.finished[-1]
        samples = (replace(one, held=blocks) if one is last else one for one in self.samples)
        return replace(self, samples=tuple(samples))

    def rows_source(self, label: str) -> str | None:
        """Where production's row count of a model comes from."""
        asked = self.budget.rows_sources.get(label)
        return asked or self.production.source(self.tables.get(label, ""), label)

    @property
    def thresholds(self) -> list[int]:
        """At how many rows a chunk or a buffer may be full: numbers of the code, and the chunks in
        which rows came.
        """
        chunks = (chunk for sample in self.finished for chunk in sample.run.chunks)
        return sorted({*self.named_numbers, *chunks})

    @property
    def ladder(self) -> Ladder:
        budget = self.budget
        return Ladder(budget.largest, budget.time_budget, self.startup, self.before, self.explains)

    @property
    def finished(self) -> tuple[Sample, ...]:
        """Smaller ones first."""
        return finished(self.samples)

    @property
    def forced_values(self) -> ForcedValues:
        """The columns, by table, that are seeded so that its statements find rows."""
        return self.samples[-1].forced_values if self.samples else {}

    @property
    def shares(self) -> Shares:
        """Those of them that only a share of the rows has."""
        return self.samples[-1].shares if self.samples else {}

    @property
    def portions(self) -> list[Portion]:
        """What the last sample loaded by values of which production's shares are known."""
        last = self.finished[-1:]
        known = self.production.shares
        return [found for one in last for found in portions(one, self.tables, known)]

    def are_known(self, table: str) -> bool:
        """Whether production's share of the rows of a table that are loaded is known."""
        last = self.finished[-1]
        rows = rows_of(table, last, self.tables)
        return are_all_known(table, self.portions, last, rows)

    @property
    def settled(self) -> bool:
        """Whether the samples show that no number of rows affects the memory of the migration.

        They do where it only has the database change rows, unless its code does something as often
        as a count says.
        """
        if not self.finished or EACH_ROW in self.branches:
            return False
        run = self.finished[-1].run
        tables = {*self.tables.values(), *run.changed}
        by_receivers = any(not one.loads.isdisjoint(tables) for one in run.receivers)
        return bool(run.changed) and loads_no_rows(run) and not by_receivers

    @property
    def breaks_at(self) -> tuple[int, FindingCode] | None:
        """With how many rows, up to production's, a statement is too large, and in what."""
        return breaks_at(self.finished, self.ladder.rows)

    @property
    def breaks(self) -> tuple[int, FindingCode] | None:
        """The same in rows of the counted model."""
        found = self.breaks_at
        counted = self.budget.to_counted(found[0]) if found else None
        return (counted, found[1]) if found and counted is not None else None

    @property
    def ahead(self) -> Ahead:
        """The numbers of the code that no sample has passed."""
        by_table: dict[str, list[Portion]] = {}
        for one in self.portions:
            by_table.setdefault(one.table, []).append(one)
        loaded = {
            table: (min(one.seeded for one in its), max(one.high for one in its))
            for table, its in by_table.items()
            if self.are_known(table)
        }
        return Ahead(self.finished, self.budget.rows, self.tables, loaded)
