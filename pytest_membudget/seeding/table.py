"""A table to be seeded: its columns, and how many rows it has and should have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import reduce
from math import prod
from operator import and_, or_
from typing import Any

from django.db import models

from pytest_membudget.sample.lesson import Lesson
from pytest_membudget.seeding.columns import Column, TemplateRows
from pytest_membudget.seeding.constraints import Rule
from pytest_membudget.seeding.dialects.base import NUMBER, Dialect, Field
from pytest_membudget.seeding.errors import too_few, unstorable
from pytest_membudget.seeding.fields import FieldKind, kind_of
from pytest_membudget.seeding.fields.json import Json, JsonText
from pytest_membudget.seeding.fields.learned import taught
from pytest_membudget.seeding.portions import seeded_shares
from pytest_membudget.seeding.prototypes import Prototypes
from pytest_membudget.seeding.sequences import UNLIMITED, Group
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.sql.table_names import is_own_of_django

TEMPLATE = "membudget_template"
SOME = 100
"""Rows of a parent that no row count was given for."""


@dataclass(eq=False)
class Table:
    """``existing`` rows were there before the first of ours, of which it has ``have``.

    ``lessons``: what a migration expects of the rows of any table.
    ``requested``: does the caller say how many rows it should have?
    ``fields``: those that get a column.
    ``forced_values``: the columns with forced values, and the values, if any.
    ``template`` and ``mismatches`` with the profile are those of its first rows.
    ``asked`` finds those of the rows there before that statements ask for; there are none without.
    ``prototypes`` are the rows, of those there before, that new ones are copies of.
    ``parts`` are the documents, by field, of which one is in each document of its column.
    ``named`` are the keys, by field, of rows to which statements ask others to refer.
    ``spares`` says that a statement looks for rows that none of this table refer to, ``crowd`` that
    it looks for those that so many refer to, and ``repeats`` that so many rows agree in a field.
    ``shares``: which share of the rows should have each of the values that a field is asked for.
    ``inherited_by``: how many rows belong to those of each child model, by its parent link.
    """

    model: type[models.Model]
    staging: StagingTables
    existing: int
    lessons: Sequence[Lesson] = ()
    have: int = 0
    want: int = 0
    requested: bool = False
    fields: dict[str, Field] = attribute(default_factory=dict)
    columns: dict[str, Column] = attribute(default_factory=dict)
    groups: list[Group] = attribute(default_factory=list)
    rules: list[Rule] = attribute(default_factory=list)
    forced_values: dict[str, list[Any]] = attribute(default_factory=dict)
    template: TemplateRows | None = None
    mismatches: list[str] = attribute(default_factory=list)
    asked: models.Q = attribute(default_factory=models.Q)
    parts: dict[str, list[Any]] = attribute(default_factory=dict)
    named: dict[str, list[Any]] = attribute(default_factory=dict)
    spares: bool = False
    prototypes: Prototypes | None = None
    crowd: int = 1
    repeats: dict[str, int] = attribute(default_factory=dict)
    shares: Mapping[str, Sequence[float]] = attribute(default_factory=dict)
    inherited_by: dict[Any, int] = attribute(default_factory=dict)

    @property
    def dialect(self) -> Dialect:
        return self.staging.dialect

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def name(self) -> str:
        return self.dialect.quote(self.model._meta.db_table)

    def kind(self, name: str) -> FieldKind:
        field = self.fields[name]
        kind = kind_of(field, self.dialect)
        kind = taught(kind, (self.model._meta.db_table, str(field.column)), self.lessons)
        if isinstance(kind, Json | JsonText):
            kind.parts = self.parts.get(name, ())
        return kind

    @property
    def width(self) -> float:
        """Bytes of a row as far as the profile knows."""
        return sum(column.stats.width or 0 for column in self.columns.values() if column.stats)

    @property
    def reused(self) -> bool:
        """Has it rows, but no room for new ones, or are they migrate's own?  Then children refer to
        the existing rows.
        """
        if self.prototypes is not None and not self.want:
            return True
        if self.requested or not self.existing:
            return False
        own = is_own_of_django(self.model._meta.db_table) and not self.forced_values
        return own or self.capacity()[0] < 1

    def capacity(self) -> tuple[int, str | None]:
        """How many rows the unique fields leave room for, and the fields which say so."""
        limits = [(column.capacity(), column.field.name) for column in self.columns.values()]
        limits += [(group.capacity(), group.label) for group in self.groups]
        return min(limits, key=lambda limit: limit[0], default=(UNLIMITED, None))

    def look_up(self, forced: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
        """The forced values of its rows, which only one can have: none where a row that was there
        before has them, to which children refer then.
        """
        asked = [models.Q(**{f"{name}__in": list(v)}) for name, v in forced.items() if v]
        if not asked or not self.existing:
            return forced
        # Several statements may ask for one row each, of which none has all of the values.
        for condition in (reduce(and_, asked), reduce(or_, asked)):
            with suppress(Exception):  # a field may raise anything
                if self.rows.filter(condition).exists():
                    self.asked = condition
                    return {}
        return forced

    def seeded_shares(self) -> dict[str, list[float]]:
        """Of the columns in which a share of the rows has a value, the shares that there are."""
        return seeded_shares(self.columns.values(), self.rows, self.existing + self.have)

    def keys_asked(self, target: Field, among: Sequence[Any] = ()) -> list[Any]:
        """What identifies rows there before that are asked for, by their values or as ``among``."""
        named = models.Q(**{f"{target.name}__in": list(among)})
        for condition in (named, self.asked) if self.existing else ():
            with suppress(Exception):
                rows = self.rows.filter(condition) if condition else self.rows.none()
                if found := list(rows.values_list(target.attname, flat=True)[:SOME]):
                    return found
        return []

    @property
    def rows(self) -> Any:
        """All rows, as a queryset."""
        return self.model._base_manager.using(self.dialect.connection.alias)

    def ensure_rows(self) -> None:
        """Have some rows for others to refer to."""
        if not self.want and not self.reused:
            self.want = 1 if self.requested else min(SOME, max(1, self.capacity()[0]))

    def require(self, count: int) -> None:
        self.want = max(self.want, count)

    def demand(self) -> None:
        """Ask the parents for as many rows as these need."""
        for column in self.columns.values():
            column.demand(self.want)
        for group in self.groups:
            group.demand(self.have, self.want)

    def place(self) -> None:
        """Check that there is room for the rows, and settle where they go."""
        possible, field = self.capacity()
        if self.want > possible:
            raise too_few(self.label, field, possible, self.want, self.existing)
        for column in self.columns.values():
            column.place(self.have, self.want)
        for group in self.groups:
            if not group.place(self.have, self.want):
                possible = prod(group.sizes())
                raise too_few(self.label, group.label, possible, self.want, self.existing)

    def grown(self) -> None:
        for group in self.groups:
            group.grown()
        self.have = self.want

    def prepare(self, count: int) -> None:
        for column in self.columns.values():
            try:
                column.prepare(self.staging, count)
            except Exception as error:  # a field may raise anything
                raise unstorable(self.label, column.field.name, [error]) from error

    def template_columns(self) -> list[Column]:
        return [column for column in self.columns.values() if column.in_template]

    def source(self, number: str, names: Collection[str], template: TemplateRows) -> str:
        """These columns of row ``number`` as a list for SELECT, named as in the table."""
        return ", ".join(
            column.select(number, template)
            for name, column in self.columns.items()
            if name in names
        )

    def growth(self, template: TemplateRows) -> str:
        """The statement that adds the missing rows, with the template at hand."""
        names = ", ".join(column.name for column in self.columns.values())
        source = self.dialect.series.format(self.have + 1, self.want)
        if self.template_columns():
            source += f" JOIN {TEMPLATE} AS t ON t.{NUMBER} = (series.i - 1) % {template.size} + 1"
        rows = f"SELECT {self.source('series.i', self.columns, template)} FROM {source}"
        return f"INSERT INTO {self.name} ({names}) {self.dialect.inserting}{rows}"
