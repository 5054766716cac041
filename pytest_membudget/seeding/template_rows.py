"""The template rows of a table: a thousand plausible rows that break no rule."""

from __future__ import annotations

import random
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from pytest_membudget.seeding.column_values import ColumnValues, seed_of
from pytest_membudget.seeding.columns import Column, Picked
from pytest_membudget.seeding.constraints import candidates
from pytest_membudget.seeding.dialect import NUMBER
from pytest_membudget.seeding.errors import refusal, unstorable
from pytest_membudget.seeding.fields import kind_of, stored_as_builtin
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.table import TEMPLATE, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from faker import Faker

    from pytest_membudget.seeding.constraints import Rule
    from pytest_membudget.seeding.staging_tables import StagingTables

    Field = models.Field[Any, Any]
    Row = tuple[Any, ...]

_ROUNDS = 8
_FAR = 10**7


class Template:
    """Made once for a table, then loaded again whenever the table is to grow."""

    def __init__(self, table: Table, fake: Faker) -> None:
        self.table = table
        self.size = table.size
        self._pools = ColumnValues(table, fake)
        self._rows: list[Row] = []
        self._columns = table.drawn()
        self._fields = [_carrier(column) for column in self._columns]

    @contextmanager
    def loaded(self, staging: StagingTables) -> Iterator[None]:
        if not self._columns:
            yield
            return
        self._rows = self._rows or self._compose(staging)
        self._fill(staging, self._rows)
        yield
        staging.drop(TEMPLATE)

    def _fill(self, staging: StagingTables, rows: list[Row]) -> None:
        model = self.table.model
        try:
            with transaction.atomic(using=staging.dialect.connection.alias):
                staging.create(TEMPLATE, self._fields)
                staging.load(TEMPLATE, model, self._fields, rows, self.table.width)
        except Exception as error:  # a field may raise anything
            raise unstorable(self.table.label, self._culprit(rows, staging), [error]) from error

    def _culprit(self, rows: list[Row], staging: StagingTables) -> str | None:
        for field, found in zip(self._fields, zip(*rows, strict=True), strict=True):
            try:
                staging.trial(self.table.model, field, found)
            except Exception:
                return field.name
        return None

    def _compose(self, staging: StagingTables) -> list[Row]:
        pools = [self._pools.draw(column, staging) for column in self._columns]
        names = [column.field.name for column in self._columns]
        known = self.table.columns.keys()
        rules = [r for r in self.table.rules if r.fields & set(names) and r.fields <= known]
        for place, column in enumerate(self._columns):
            own = [rule for rule in rules if rule.fields == {column.field.name}]
            if own and not column.constant:
                pools[place] = self._allowed(place, pools, own, staging)
            pools[place] = self._pools.laid_out(column, pools[place])
        shared = [rule for rule in rules if len(rule.fields) > 1]
        rows = list(islice(zip(*map(cycle, pools), strict=False), self.size))
        rows = self._agreeing(rows, pools, shared, staging) if shared else rows
        return self._ranked(rows)

    def _ranked(self, rows: list[Row]) -> list[Row]:
        """The rows with a running number in each column that counts where it is not NULL."""
        found = [list(row) for row in rows]
        for place, column in enumerate(self._columns):
            if isinstance(column, Picked) and column.ranked:
                filled = [row for row in found if row[place] is not None]
                for number, row in enumerate(filled, 1):
                    row[place] = number
                column.cycle = len(rows), len(filled)
        return [tuple(row) for row in found]

    def _allowed(
        self, place: int, pools: list[list[Any]], rules: list[Rule], staging: StagingTables
    ) -> list[Any]:
        column = self._columns[place]
        field = column.field
        tried = [*pools[place], *(value for rule in rules for value in candidates(field, rule))]
        tried += [None] if column.nulls else []
        others = [pool[0] for pool in pools]
        rows = [(*others[:place], value, *others[place + 1 :]) for value in tried]
        allowed = [row[place] for row in self._passing(rows, rules, staging)]
        if column.nulls:
            column.nulls = column.nulls if None in allowed else None
            allowed = [value for value in allowed if value is not None]
        if not allowed:
            names = ", ".join(rule.name for rule in rules)
            raise refusal(self.table.label, field.name, f"no value found that satisfies {names}")
        return allowed

    def _agreeing(
        self, rows: list[Row], pools: list[list[Any]], rules: list[Rule], staging: StagingTables
    ) -> list[Row]:
        """Rows that keep the rules between columns, by trial of ever wilder ones."""
        rng = random.Random(seed_of(self.table.label))
        involved = set().union(*(rule.fields for rule in rules))
        places = [p for p, column in enumerate(self._columns) if column.field.name in involved]
        wild = {place: self._wild(place, rules) for place in places}
        kept: list[Row] = []
        for _ in range(_ROUNDS):
            kept += self._passing(rows, rules, staging)
            if len(kept) >= self.size:
                return kept[: self.size]
            rows = [self._shaken(row, places, pools, wild, rng) for row in rows]
        if not kept:
            names = ", ".join(rule.name for rule in rules)
            raise refusal(
                self.table.label,
                ", ".join(sorted(involved)),
                f"no values found that together satisfy {names}",
            )
        return list(islice(cycle(kept), self.size))

    def _wild(self, place: int, rules: list[Rule]) -> list[Any]:
        column = self._columns[place]
        if column.constant:
            return []
        if isinstance(column, Picked):
            return [None]
        field = column.field
        found = [v for rule in rules if field.name in rule.fields for v in candidates(field, rule)]
        kind = kind_of(field, self.table.dialect)
        extremes = kind.extremes() if stored_as_builtin(field) else []
        return [*found, *extremes, *([None] if field.null else [])]

    def _shaken(
        self,
        row: Row,
        places: list[int],
        pools: list[list[Any]],
        wild: dict[int, list[Any]],
        rng: random.Random,
    ) -> Row:
        shaken = list(row)
        for place in places:
            if rng.random() < 0.5 and wild[place]:
                shaken[place] = rng.choice(wild[place])
            else:
                shaken[place] = rng.choice(pools[place])
        return tuple(shaken)

    def _passing(self, rows: list[Row], rules: Iterable[Rule], staging: StagingTables) -> list[Row]:
        self._fill(staging, rows)
        broken: set[int] = set()
        for rule in rules:
            for number in self._numbers(rule):
                columns = self.table.source(number, rule.fields)
                source = f"SELECT t.{NUMBER}, {columns} FROM {TEMPLATE} AS t"
                sql = f"SELECT {NUMBER} FROM ({source}) AS x WHERE {rule.broken}"
                broken.update(number for (number,) in self.table.dialect.fetch(sql))
        staging.drop(TEMPLATE)
        return [row for number, row in enumerate(rows, 1) if number not in broken]

    def _numbers(self, rule: Rule) -> Iterator[str]:
        """The rows to try a rule on: the first ones, and where possible some far away."""
        yield f"t.{NUMBER}"
        columns = [self.table.columns[name] for name in rule.fields]
        domains = [column.domain for column in columns if isinstance(column, Picked)]
        if domains and all(isinstance(d, Formula) and d.size > 2 * _FAR for d in domains):
            yield f"(t.{NUMBER} + {_FAR})"


def _carrier(column: Column) -> Field:
    """The field that carries a column's template values: its own, or a flag for a reference."""
    if not isinstance(column, Picked):
        return column.field
    flag: Field = models.IntegerField(null=True)
    flag.set_attributes_from_name(column.field.name)
    flag.attname, flag.column = column.field.attname, column.field.column
    return flag
