"""The template rows of a table: a thousand plausible rows that break no rule."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any

from faker import Faker

from pytest_membudget.seeding.column_values import ColumnValues, seed_of
from pytest_membudget.seeding.columns import ConstantColumn, Marks, SequenceColumn, TemplateRows
from pytest_membudget.seeding.constraints import Rule, candidates
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table
from pytest_membudget.seeding.template_table import Row, TemplateTable

_ROUNDS = 8


class Template:
    """Made once for a table, then loaded again whenever the table is to grow."""

    def __init__(self, table: Table, fake: Faker, size: int) -> None:
        self.size = size
        self._table = table
        self._fake = fake
        self._rows: list[Row] = []
        self._filled: dict[str, int] = {}

    @contextmanager
    def loaded(self, staging: StagingTables) -> Iterator[TemplateRows]:
        if not self._table.template_columns():
            yield TemplateRows(self.size)
            return
        target = TemplateTable(self._table, staging)
        if not self._rows:
            values = ColumnValues(self._table, self._fake, self.size)
            self._rows = self._numbered(_Composition(self._table, values, target).rows())
        with target.holding(self._rows):
            yield TemplateRows(self.size, self._filled)

    def _numbered(self, rows: list[Row]) -> list[Row]:
        """The rows with a running number in the columns that number those that are not NULL."""
        found = [list(row) for row in rows]
        for place, column in enumerate(self._table.template_columns()):
            if isinstance(column, SequenceColumn) and column.marks is Marks.NUMBERED:
                filled = [row for row in found if row[place] is not None]
                for number, row in enumerate(filled, 1):
                    row[place] = number
                self._filled[column.name] = len(filled)
        return [tuple(row) for row in found]


class _Composition:
    """Composes rows of the values of each column, so that they keep the rules of the table."""

    def __init__(self, table: Table, values: ColumnValues, target: TemplateTable) -> None:
        self._label = table.label
        self._size = values.size
        self._target = target
        self._values = values
        self._columns = table.template_columns()
        names = {column.field.name for column in self._columns}
        known = table.columns.keys()
        self._rules = [r for r in table.rules if r.fields & names and r.fields <= known]
        self._pools = [values.draw(column, target.staging) for column in self._columns]
        self._rng = random.Random(seed_of(table.label))

    def rows(self) -> list[Row]:
        for place, column in enumerate(self._columns):
            nulls = self._obey(place)
            self._pools[place] = self._values.arranged(column, self._pools[place], nulls)
        rows = list(islice(zip(*map(cycle, self._pools), strict=False), self._size))
        shared = [rule for rule in self._rules if len(rule.fields) > 1]
        return self._agreeing(rows, shared) if shared else rows

    def _obey(self, place: int) -> float | None:
        """Leave out what the rules on a column alone forbid; returns the share of NULLs to have."""
        column = self._columns[place]
        field, nulls = column.field, column.nulls
        rules = [rule for rule in self._rules if rule.fields == {field.name}]
        if not rules or isinstance(column, ConstantColumn):
            return nulls
        tried = [*self._pools[place], *(v for rule in rules for v in candidates(field, rule))]
        tried += [None] if nulls else []
        others = [pool[0] for pool in self._pools]
        rows = [(*others[:place], value, *others[place + 1 :]) for value in tried]
        allowed = [row[place] for row in self._target.passing(rows, rules)]
        if nulls:
            nulls = nulls if None in allowed else None
            allowed = [value for value in allowed if value is not None]
        if not allowed:
            raise refusal(self._label, field.name, f"no value found that satisfies {_names(rules)}")
        self._pools[place] = allowed
        return nulls

    def _agreeing(self, rows: list[Row], rules: list[Rule]) -> list[Row]:
        """Rows that keep the rules between columns, by trial of ever wilder ones."""
        involved = set().union(*(rule.fields for rule in rules))
        wild = {
            place: self._extremes(place, rules)
            for place, column in enumerate(self._columns)
            if column.field.name in involved
        }
        kept: list[Row] = []
        for _ in range(_ROUNDS):
            kept += self._target.passing(rows, rules)
            if len(kept) >= self._size:
                return kept[: self._size]
            rows = [self._shaken(row, wild) for row in rows]
        if not kept:
            reason = f"no values found that together satisfy {_names(rules)}"
            raise refusal(self._label, ", ".join(sorted(involved)), reason)
        return list(islice(cycle(kept), self._size))

    def _extremes(self, place: int, rules: list[Rule]) -> list[Any]:
        column = self._columns[place]
        if isinstance(column, ConstantColumn):
            return []
        if isinstance(column, SequenceColumn):
            return [None]
        field = column.field
        found = [v for rule in rules if field.name in rule.fields for v in candidates(field, rule)]
        found += column.kind.extremes() if stored_as_builtin(field) else []
        return [*found, *([None] if field.null else [])]

    def _shaken(self, row: Row, wild: dict[int, list[Any]]) -> Row:
        shaken, rng = list(row), self._rng
        for place, extremes in wild.items():
            if rng.random() < 0.5 and extremes:
                shaken[place] = rng.choice(extremes)
            else:
                shaken[place] = rng.choice(self._pools[place])
        return tuple(shaken)


def _names(rules: list[Rule]) -> str:
    return ", ".join(rule.name for rule in rules)
