"""What a column holds in row number i."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.dialect import NUMBER
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.sequences import Sequence
from pytest_membudget.seeding.staging_tables import StagingTables, new_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from django.db import models

    from pytest_membudget.seeding.column_stats import ColumnStats
    from pytest_membudget.seeding.fields.base import Variation
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_REUSED = 1000


@dataclass(eq=False)
class Column:
    """A column whose value in row i is that of template row i modulo their number."""

    field: Field
    name: str
    constant: list[Any] = attribute(default_factory=list)
    """Holds the value that the column is fixed to, or some that take turns."""

    once: bool = False
    """Has the column one value, not one for each template row?"""

    shape: ColumnStats | None = None
    """What the profile says about it, where it shall follow that."""

    nulls: float | None = None
    """The share of NULLs among its rows, where that is known and can be kept."""

    computed = False
    """Is :meth:`sql` an expression, not the template's column itself?"""

    alone = False
    """Is the value of row i different from that of every other row?"""

    def sql(self, i: str) -> str:
        return f"t.{self.name}"


@dataclass(eq=False)
class Varied(Column):
    """A column whose value is that of the template row, made different by the round it is in."""

    table: Table = attribute(kw_only=True)
    variation: Variation = attribute(kw_only=True)
    computed = True

    def sql(self, i: str) -> str:
        return self.variation.write(f"t.{self.name}", f"(({i} - 1) / {self.table.size})")

    def numbers(self, count: int, rng: Random) -> list[Any] | None:
        """So many different values, or None where they are texts."""
        at = self.variation.at
        return [at(n) for n in rng.sample(range(self.variation.room), count)] if at else None


@dataclass(eq=False)
class Picked(Column):
    """A column whose value in row i is number ``index(i)`` of a domain."""

    computed = True
    domain: Sequence = attribute(kw_only=True)
    index: Callable[[str], str] = attribute(kw_only=True)
    alone: bool = attribute(default=False, kw_only=True)
    masked: bool = False
    """Do the template rows say where it is NULL?"""

    ranked: bool = False
    """Are the rows counted in which it is not NULL, so that no value is left out?"""

    cycle: tuple[int, int] | None = None
    """The number of template rows, and of those that :attr:`ranked` counts among them."""

    def value(self, i: str) -> str:
        return self.domain.at(self.index(i))

    def sql(self, i: str) -> str:
        number = i
        if self.cycle:
            size, filled = self.cycle
            number = f"(({i} - 1) / {size} * {filled} + t.{self.name})"
        value = self.value(number)
        return f"CASE WHEN t.{self.name} IS NOT NULL THEN {value} END" if self.masked else value


@dataclass(eq=False)
class Upward(Picked):
    """A reference to an earlier row of the same table, ten to each, the first one at the top."""

    def value(self, i: str) -> str:
        top = "NULL" if self.field.null else self.domain.at("1")
        return f"CASE WHEN {i} = 1 THEN {top} ELSE {self.domain.at(f'(({i} + 8) / 10)')} END"


@dataclass(eq=False)
class Partial(Picked):
    """A unique reference that may be empty, and is where the parents have run out."""

    def value(self, i: str) -> str:
        return f"CASE WHEN {i} <= {self.domain.size} THEN {super().value(i)} END"


@dataclass(eq=False)
class Rows(Sequence):
    """The rows of a parent, as a field of it identifies them."""

    table: Table
    target: Field
    _existing: str = attribute(default_factory=new_name)

    @property
    def size(self) -> int:  # type: ignore[override]
        return min(_REUSED, self.table.existing) if self.table.reused else self.table.want

    def at(self, number: str) -> str:
        if self.table.reused:
            quoted = self.table.dialect.column(self.target)
            return f"(SELECT k.{quoted} FROM {self._existing} AS k WHERE k.{NUMBER} = {number})"
        column = self.table.columns.get(self.target.name)
        if not isinstance(column, Picked) or not column.alone:
            raise refusal(
                self.table.label, self.target.name, "its values cannot be foreseen for its children"
            )
        return column.domain.at(column.index(number))

    def prepare(self, staging: StagingTables, count: int) -> None:
        if self.table.reused:
            column = self.table.dialect.column(self.target)
            staging.create(self._existing, [self.target])
            self.table.dialect.execute(
                f"INSERT INTO {self._existing} ({column}) "
                f"SELECT {column} FROM {self.table.name} ORDER BY {column} LIMIT {_REUSED}"
            )
