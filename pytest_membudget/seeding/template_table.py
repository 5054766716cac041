"""The temporary table of a table's template: rows are loaded into it, and tried on the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models, transaction

from pytest_membudget.seeding.columns import Column, SequenceColumn, TemplateRows
from pytest_membudget.seeding.constraints import Rule
from pytest_membudget.seeding.dialects.base import NUMBER, Field
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import TEMPLATE, Table

Row = tuple[Any, ...]
_FAR = 10**7


class TemplateTable:
    def __init__(self, table: Table, staging: StagingTables) -> None:
        self.staging = staging
        self._table = table
        self._fields = [_carrier(column) for column in table.template_columns()]

    @contextmanager
    def holding(self, rows: list[Row]) -> Iterator[None]:
        staging, table = self.staging, self._table
        try:
            with transaction.atomic(using=staging.dialect.connection.alias):
                staging.create(TEMPLATE, self._fields)
                staging.load(TEMPLATE, table.model, self._fields, rows, table.width)
        except Exception as error:  # a field may raise anything
            raise unstorable(table.label, self._culprit(rows), [error]) from error
        yield
        staging.drop(TEMPLATE)

    def passing(self, rows: list[Row], rules: Iterable[Rule]) -> list[Row]:
        """The rows that keep all the rules."""
        broken: set[int] = set()
        with self.holding(rows):
            for rule in rules:
                for number in self._numbers(rule):
                    columns = self._table.source(number, rule.fields, TemplateRows(len(rows)))
                    source = f"SELECT t.{NUMBER}, {columns} FROM {TEMPLATE} AS t"
                    sql = f"SELECT {NUMBER} FROM ({source}) AS x WHERE {rule.broken}"
                    broken.update(number for (number,) in self.staging.dialect.fetch(sql))
        return [row for number, row in enumerate(rows, 1) if number not in broken]

    def _numbers(self, rule: Rule) -> Iterator[str]:
        """The rows to try a rule on: the first ones, and where possible some far away."""
        yield f"t.{NUMBER}"
        columns = [self._table.columns[name] for name in rule.fields]
        found = [column.sequence for column in columns if isinstance(column, SequenceColumn)]
        if found and all(isinstance(s, Formula) and s.size > 2 * _FAR for s in found):
            yield f"(t.{NUMBER} + {_FAR})"

    def _culprit(self, rows: list[Row]) -> str | None:
        for field, found in zip(self._fields, zip(*rows, strict=True), strict=True):
            try:
                self.staging.trial(self._table.model, field, found)
            except Exception:
                return field.name
        return None


def _carrier(column: Column) -> Field:
    """The field that carries a column's template values: its own, or a flag for a reference."""
    if not isinstance(column, SequenceColumn):
        return column.field
    flag: Field = models.IntegerField(null=True)
    flag.set_attributes_from_name(column.field.name)
    flag.attname, flag.column = column.field.attname, column.field.column
    return flag
