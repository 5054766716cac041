"""The template rows of a table: a thousand plausible rows that break no rule."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from typing import Any

from django.db import models, transaction

from pytest_membudget.seeding.column_values import arranged, draw, seed_of
from pytest_membudget.seeding.columns import Column, ConstantColumn, SequenceColumn, TemplateRows
from pytest_membudget.seeding.constraints import Rule, candidates
from pytest_membudget.seeding.dialects.base import NUMBER, Field
from pytest_membudget.seeding.errors import refusal, unstorable
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.pairs import in_order, pairs
from pytest_membudget.seeding.portions import PortionedColumn
from pytest_membudget.seeding.prototypes import Prototypes
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.staging_tables import Row, StagingTables
from pytest_membudget.seeding.table import TEMPLATE, Table
from pytest_membudget.sql.row_sets import UNORDERED

_ROUNDS = 8
_FAR = 10**7


def template_of(table: Table, size: int) -> TemplateRows:
    """The prototypes of the table, or so many composed rows."""
    prototypes = table.prototypes
    if prototypes is None:
        return Composition(table, size).template()
    columns = table.template_columns()
    if not columns:
        return TemplateRows([()] * prototypes.size)
    carried = (_carried(column, prototypes) for column in columns)
    return _numbered(columns, [*zip(*carried, strict=True)])


def _carried(column: Column, prototypes: Prototypes) -> list[Any]:
    """Values that statements ask for come before those of the prototypes."""
    if isinstance(column, ConstantColumn):
        return list(islice(cycle(column.values), prototypes.size))
    return column.carried(prototypes.values[column.field.name])


def _numbered(columns: Sequence[Column], rows: list[Row]) -> TemplateRows:
    """The rows with a running number in the columns that number those that are not NULL."""
    values: list[Any] = [*zip(*rows, strict=True)]
    filled = {}
    for place, column in enumerate(columns):
        if isinstance(column, SequenceColumn) and column.numbered:
            filled[column.name] = sum(value is not None for value in values[place])
            numbers = iter(range(1, len(rows) + 1))
            values[place] = [None if v is None else next(numbers) for v in values[place]]
    return TemplateRows([*zip(*values, strict=True)], filled)


class Composition:
    """Composes ``size`` rows of the values of each column that keep the rules of the table."""

    def __init__(self, table: Table, size: int) -> None:
        self._table = table
        self._size = size
        self._columns = table.template_columns()
        names = {column.field.name for column in self._columns}
        known = table.columns.keys()
        self._rules = [r for r in table.rules if r.fields & names and r.fields <= known]
        self._pools = [draw(column, size, table.staging) for column in self._columns]
        self._rng = random.Random(seed_of(table.label))

    def template(self) -> TemplateRows:
        if not self._columns:
            return TemplateRows([()] * self._size)
        for place, column in enumerate(self._columns):
            nulls = self._obey(place)
            self._pools[place] = arranged(column, self._pools[place], self._size, nulls)
            if times := self._table.repeats.get(column.field.name):
                several = (value for value in cycle(self._pools[place]) for _ in range(times))
                self._pools[place] = list(islice(several, self._size))
        rows = list(islice(zip(*map(cycle, self._pools), strict=False), self._size))
        if ordered := [pair for pair in pairs(self._table.fields) if self._is_free(pair)]:
            rows = in_order(rows, self._columns, ordered)
        shared = [rule for rule in self._rules if len(rule.fields) > 1]
        return _numbered(self._columns, self._agreeing(rows, shared) if shared else rows)

    def _is_free(self, pair: tuple[str, str]) -> bool:
        """Whether no statement looks for rows in which they are not in order."""
        fields = (self._table.fields[name] for name in pair)
        return all(
            UNORDERED not in self._table.forced_values.get(str(field.column), ())
            and stored_as_builtin(field)
            for field in fields
        )

    def _obey(self, place: int) -> float | None:
        """Remove what rules on this column alone forbid; return the share of NULLs to use."""
        column = self._columns[place]
        field, nulls = column.field, column.nulls
        rules = [rule for rule in self._rules if rule.fields == {field.name}]
        if not rules or isinstance(column, ConstantColumn):
            return nulls
        tried = [*self._pools[place], *(v for rule in rules for v in candidates(field, rule))]
        tried += [None] if nulls else []
        others = [pool[0] for pool in self._pools]
        rows = [(*others[:place], value, *others[place + 1 :]) for value in tried]
        allowed = [row[place] for row in passing(self._table, rows, rules)]
        if nulls:
            nulls = nulls if None in allowed else None
            allowed = [value for value in allowed if value is not None]
        if not allowed:
            reason = f"no value found that satisfies {_names(rules)}"
            raise refusal(self._table.label, field.name, reason)
        self._pools[place] = allowed
        return nulls

    def _agreeing(self, rows: list[Row], rules: list[Rule]) -> list[Row]:
        """Rows that keep the rules between columns, found by trying ever more extreme ones."""
        involved = set().union(*(rule.fields for rule in rules))
        extremes = {
            place: self._extremes(place, rules)
            for place, column in enumerate(self._columns)
            if column.field.name in involved
        }
        kept: list[Row] = []
        for _ in range(_ROUNDS):
            kept += passing(self._table, rows, rules)
            if len(kept) >= self._size:
                return kept[: self._size]
            rows = [self._changed(row, extremes) for row in rows]
        if not kept:
            reason = f"no values found that together satisfy {_names(rules)}"
            raise refusal(self._table.label, ", ".join(sorted(involved)), reason)
        return list(islice(cycle(kept), self._size))

    def _extremes(self, place: int, rules: list[Rule]) -> list[Any]:
        column = self._columns[place]
        if isinstance(column, ConstantColumn | PortionedColumn):
            return []
        if isinstance(column, SequenceColumn):
            return [None]
        field = column.field
        found = [v for rule in rules if field.name in rule.fields for v in candidates(field, rule)]
        found += column.kind.extremes() if stored_as_builtin(field) else []
        return [*found, *([None] if field.null else [])]

    def _changed(self, row: Row, extremes: dict[int, list[Any]]) -> Row:
        changed, rng = list(row), self._rng
        for place, values in extremes.items():
            extreme = rng.random() < 0.5 and values
            changed[place] = rng.choice(values if extreme else self._pools[place])
        return tuple(changed)


def _names(rules: list[Rule]) -> str:
    return ", ".join(rule.name for rule in rules)


@contextmanager
def holding(table: Table, rows: list[Row]) -> Iterator[None]:
    """A temporary table that has these rows, where the table needs one."""
    staging = table.staging
    fields = [_carrier(column) for column in table.template_columns()]
    if not fields:
        yield
        return
    try:
        with transaction.atomic(using=staging.dialect.connection.alias):
            staging.create(TEMPLATE, fields)
            staging.load(TEMPLATE, fields, rows)
    except Exception as error:  # a field may raise anything
        columns = zip(fields, zip(*rows, strict=True), strict=True)
        refused = (f.name for f, values in columns if not _can_be_stored(f, values, staging))
        raise unstorable(table.label, next(refused, None), [error]) from error
    yield
    staging.drop(TEMPLATE)


def passing(table: Table, rows: list[Row], rules: Iterable[Rule]) -> list[Row]:
    """The rows that keep all the rules."""
    broken: set[int] = set()
    with holding(table, rows):
        for rule in rules:
            for number in _numbers(table, rule):
                columns = table.source(number, rule.fields, TemplateRows(rows))
                source = f"SELECT t.{NUMBER}, {columns} FROM {TEMPLATE} AS t"
                sql = f"SELECT {NUMBER} FROM ({source}) AS x WHERE {rule.broken}"
                broken.update(number for (number,) in table.dialect.execute(sql))
    return [row for number, row in enumerate(rows, 1) if number not in broken]


def _numbers(table: Table, rule: Rule) -> Iterator[str]:
    """The rows to try a rule on: the first ones, and where possible some far away."""
    yield f"t.{NUMBER}"
    columns = [table.columns[name] for name in rule.fields]
    found = [column.sequence for column in columns if isinstance(column, SequenceColumn)]
    if found and all(isinstance(s, Formula) and s.size > 2 * _FAR for s in found):
        yield f"(t.{NUMBER} + {_FAR})"


def _can_be_stored(field: Field, values: Row, staging: StagingTables) -> bool:
    with suppress(Exception):
        staging.trial(field, values)
        return True
    return False


def _carrier(column: Column) -> Field:
    """The field that carries a column's template values: its own, or a flag for a reference."""
    if not isinstance(column, SequenceColumn):
        return column.field
    flag: Field = models.IntegerField(null=True, db_column=column.field.column)
    flag.set_attributes_from_name(column.field.name)
    flag.model = column.field.model
    return flag
