"""What a column holds in row number i. A column is chosen once and never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from pytest_membudget.profile.production import ColumnStats
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind
from pytest_membudget.seeding.fields.base import Variation
from pytest_membudget.seeding.sequences import UNLIMITED, Sequence
from pytest_membudget.seeding.staging_tables import Row, StagingTables


@dataclass(frozen=True)
class TemplateRows:
    """The rows that all further rows of a table repeat.

    ``filled``: column -> how many of the rows have a value there, where they are numbered.
    """

    rows: list[Row]
    filled: Mapping[str, int] = attribute(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Column:
    """A column whose value in row i is that of template row i modulo their number.

    ``stats``: what the profile says about it, where it follows that.
    ``nulls``: the share of NULLs among its rows, where that is known and can be kept.
    ``in_template``: does the template hold its values, or where a computed one is NULL?
    """

    field: Field
    kind: FieldKind
    stats: ColumnStats | None = None
    nulls: float | None = None
    in_template: bool = True

    @property
    def name(self) -> str:
        return self.kind.dialect.column(self.field)

    def select(self, i: str, template: TemplateRows) -> str:
        """An item for SELECT: the value in row ``i``, named as in the table."""
        return f"t.{self.name}"

    def carried(self, values: list[Any]) -> list[Any]:
        """What a template of rows that hold these ``values`` has in this column."""
        return values

    def computed(self, value: str) -> str:
        return f"{self.kind.dialect.typed(value, self.field)} AS {self.name}"

    def key(self, number: str) -> str | None:
        """The value in row ``number`` as other tables refer to it, if it can be foreseen."""
        return None

    def capacity(self) -> int:
        """How many rows there are values for."""
        return UNLIMITED

    def demand(self, want: int) -> None:
        """Ask the tables that this one refers to for what ``want`` rows need."""

    def place(self, have: int, want: int) -> None:
        """Settle what the missing rows refer to, where the counts of all tables are final."""

    def prepare(self, staging: StagingTables, count: int) -> None:
        """Make what :meth:`select` reads, for the rows up to ``count``."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ConstantColumn(Column):
    """It holds one value, or some that take turns."""

    values: list[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnColumn(Column):
    """Plausible values, which ``variation`` makes different in each round of the template."""

    variation: Variation | None = None

    def count(self, size: int) -> int:
        """How many values a template of ``size`` rows holds."""
        stats = self.stats
        if stats is None:
            return size
        filled = max(1, round(size * (1 - (self.nulls or 0))))
        distinct = round(size * (stats.variety or 1)) if self.variation else stats.distinct
        return min(filled, max(1, distinct or filled))

    def select(self, i: str, template: TemplateRows) -> str:
        value = super().select(i, template)
        if self.variation is None:
            return value
        number = self.kind.dialect.quotient.format(f"({i} - 1)", template.size)
        return self.computed(self.variation.write(value, number))


class SingleValueColumn(DrawnColumn):
    """One plausible value for all rows."""

    def count(self, size: int) -> int:
        return 1


@dataclass(frozen=True, eq=False, kw_only=True)
class SequenceColumn(Column):
    """A column whose value in row i is number ``index(i)`` of a sequence.

    ``numbered``: do only the rows count that are not NULL, so that no value is left out?
    """

    sequence: Sequence
    index: Callable[[str], str] = str
    in_template: bool = False
    numbered: bool = False

    def carried(self, values: list[Any]) -> list[Any]:
        return [None if value is None else 1 for value in values]

    def value(self, i: str) -> str:
        return self.sequence.at(self.index(i))

    def select(self, i: str, template: TemplateRows) -> str:
        mark = super().select(i, template)
        if filled := template.filled.get(self.name):
            number = self.kind.dialect.quotient.format(f"({i} - 1)", template.size)
            i = f"({number} * {filled} + {mark})"
        value = self.value(i)
        if self.in_template:
            value = f"CASE WHEN {mark} IS NOT NULL THEN {value} END"
        return self.computed(value)

    def prepare(self, staging: StagingTables, count: int) -> None:
        self.sequence.prepare(staging, count)


class UniqueColumn(SequenceColumn):
    """Row i has value number i, which no other row has."""

    def key(self, number: str) -> str | None:
        return self.sequence.at(number)

    def capacity(self) -> int:
        return self.sequence.size
