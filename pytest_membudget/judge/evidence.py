"""All that is known of one check: its budget, its samples, and facts of the migration."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import Finding
from pytest_membudget.judge.ahead import Ahead
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.ladder import Ladder
from pytest_membudget.sample import ForcedValues, Sample


@dataclass(frozen=True)
class Database:
    """The alias of the settings that was migrated, and what it leads to."""

    alias: str | None = None
    vendor: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What a verdict is made of.

    ``touches_rows`` says that the migration is expected to read or write rows, ``thresholds`` at
    how many a chunk or a buffer of it may be full, ``branches`` with how many it compares a count.
    ``tables`` maps the budget's models to their tables; ``notes`` are findings from elsewhere;
    ``unnamed`` are gaps of tables whose row counts are unknown; ``literals`` are the values that
    stand in the migration's source.
    """

    budget: Budget
    touches_rows: bool
    thresholds: Sequence[int] = ()
    branches: Sequence[int] = ()
    database: Database = Database()
    tables: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    notes: tuple[Finding, ...] = ()
    unnamed: tuple[Gap, ...] = ()
    literals: Container[Any] = frozenset()

    def with_sample(self, sample: Sample) -> Evidence:
        return replace(self, samples=(*self.samples, sample))

    @property
    def ladder(self) -> Ladder:
        return Ladder(self.budget.largest, self.budget.time_budget)

    @property
    def finished(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if sample.finished)

    @property
    def forced_values(self) -> ForcedValues:
        """The columns, by table, that are seeded so that its statements find rows."""
        return self.samples[-1].forced_values if self.samples else {}

    @property
    def ahead(self) -> Ahead:
        """The numbers of the code that no sample has passed."""
        return Ahead(self.finished, self.budget.rows, self.tables)
