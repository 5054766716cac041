"""The temporary table of a table's template: rows are loaded into it, and tried on the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from django.db import models, transaction

from pytest_membudget.seeding.columns import Column, Row, SequenceColumn, TemplateRows
from pytest_membudget.seeding.constraints import Rule
from pytest_membudget.seeding.dialects.base import NUMBER, Field
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import TEMPLATE, Table

_FAR = 10**7


@contextmanager
def holding(table: Table, rows: list[Row], staging: StagingTables) -> Iterator[None]:
    """A temporary table that has these rows, where the table needs one."""
    fields = [_carrier(column) for column in table.template_columns()]
    if not fields:
        yield
        return
    try:
        with transaction.atomic(using=staging.dialect.connection.alias):
            staging.create(TEMPLATE, fields)
            staging.load(TEMPLATE, fields, rows, table.width)
    except Exception as error:  # a field may raise anything
        for field, values in zip(fields, zip(*rows, strict=True), strict=True):
            if not _can_be_stored(field, values, staging):
                raise unstorable(table.label, field.name, [error]) from error
        raise unstorable(table.label, None, [error]) from error
    yield
    staging.drop(TEMPLATE)


def passing(
    table: Table, rows: list[Row], rules: Iterable[Rule], staging: StagingTables
) -> list[Row]:
    """The rows that keep all the rules."""
    broken: set[int] = set()
    with holding(table, rows, staging):
        for rule in rules:
            for number in _numbers(table, rule):
                columns = table.source(number, rule.fields, TemplateRows(rows))
                source = f"SELECT t.{NUMBER}, {columns} FROM {TEMPLATE} AS t"
                sql = f"SELECT {NUMBER} FROM ({source}) AS x WHERE {rule.broken}"
                broken.update(number for (number,) in staging.dialect.fetch(sql))
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
    flag: Field = models.IntegerField(null=True)
    flag.set_attributes_from_name(column.field.name)
    flag.attname, flag.column = column.field.attname, column.field.column
    flag.model = column.field.model
    return flag
