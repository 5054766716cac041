"""A table to be seeded: its columns, and how many rows it has and shall have."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.columns import Column, Partial, Picked, Rows
from pytest_membudget.seeding.dialect import NUMBER, Dialect
from pytest_membudget.seeding.errors import too_few, unstorable

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db import models

    from pytest_membudget.seeding.constraints import Rule
    from pytest_membudget.seeding.staging_tables import StagingTables
    from pytest_membudget.seeding.unique_together import Group

TEMPLATE = "membudget_template"
SOME = 100
"""Rows of a parent that nobody asked for."""


@dataclass(eq=False)
class Table:
    model: type[models.Model]
    dialect: Dialect
    existing: int
    """Rows that were there before the first of ours."""

    size: int = 1000
    """Rows of its template."""

    have: int = 0
    want: int = 0
    asked: bool = False
    columns: dict[str, Column] = attribute(default_factory=dict)
    groups: list[Group] = attribute(default_factory=list)
    rules: list[Rule] = attribute(default_factory=list)
    fresh: dict[str, list[Any]] = attribute(default_factory=dict)
    """The columns that hold what was asked for, with the values where there are some."""

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def name(self) -> str:
        return self.dialect.quote(self.model._meta.db_table)

    @property
    def width(self) -> float:
        """Bytes of a row as far as the profile knows."""
        return sum(column.shape.width or 0 for column in self.columns.values() if column.shape)

    @property
    def reused(self) -> bool:
        """Are there rows, but no room for ours? Then children point at those."""
        return not self.asked and self.capacity()[0] < 1 <= self.existing

    def capacity(self) -> tuple[int, str | None]:
        """How many rows the unique fields leave room for, and the fields which say so."""
        limits: list[tuple[int, str | None]] = [
            (column.domain.size, column.field.name)
            for column in self.columns.values()
            if isinstance(column, Picked) and column.alone and not isinstance(column.domain, Rows)
        ]
        limits += [(group.room, group.label) for group in self.groups if group.bounded]
        return min(limits, key=lambda limit: limit[0], default=(1 << 62, None))

    def exist(self) -> None:
        """Have some rows for others to refer to."""
        if not self.want and not self.reused:
            self.want = 1 if self.asked else min(SOME, max(1, self.capacity()[0]))

    def raise_to(self, count: int) -> None:
        self.want = max(self.want, count)

    def demand(self) -> None:
        """Ask the parents for as many rows as these need."""
        for column in self.columns.values():
            if isinstance(column, Picked) and isinstance(column.domain, Rows):
                parent = column.domain.table
                parent.exist()
                if isinstance(column, Partial):
                    parent.raise_to(0 if parent.asked else min(self.want, parent.capacity()[0]))
                elif column.alone:
                    parent.raise_to(self.want)
        for group in self.groups:
            group.demand()

    def check(self) -> None:
        possible, field = self.capacity()
        if self.want > possible:
            raise too_few(self.label, field, max(possible, 0), self.want)

    def prepare(self, staging: StagingTables, count: int) -> None:
        for column in self.columns.values():
            if isinstance(column, Picked):
                try:
                    column.domain.prepare(staging, count)
                except Exception as error:  # a field may raise anything
                    raise unstorable(self.label, column.field.name, [error]) from error

    def source(self, number: str, names: Collection[str]) -> str:
        """These columns of row ``number`` as a list for SELECT, named as in the table."""
        return ", ".join(
            f"{self.dialect.typed(column.sql(number), column.field)} AS {column.name}"
            if column.computed
            else column.sql(number)
            for name, column in self.columns.items()
            if name in names
        )

    def drawn(self) -> list[Column]:
        return [
            column
            for column in self.columns.values()
            if not isinstance(column, Picked) or column.masked
        ]

    def rows(self, first: int, last: int) -> str:
        """The SELECT of some rows, with the template at hand."""
        source = self.dialect.series(first, last)
        if self.drawn():
            source += f" JOIN {TEMPLATE} AS t ON t.{NUMBER} = (series.i - 1) % {self.size} + 1"
        return f"SELECT {self.source('series.i', self.columns.keys())} FROM {source}"

    def growth(self) -> str:
        """The statement that adds the missing rows."""
        names = ", ".join(column.name for column in self.columns.values())
        return f"INSERT INTO {self.name} ({names}) {self.rows(self.have + 1, self.want)}"
