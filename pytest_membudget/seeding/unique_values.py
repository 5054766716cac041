"""Finds the distinct values that a column can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import FieldKind, kind_of, stored_as_builtin
from pytest_membudget.seeding.fields.base import WantedValues
from pytest_membudget.seeding.sequences import Numbering, Sequence, StoredSequence
from pytest_membudget.seeding.staging_tables import StagingTables, new_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db import models

    from pytest_membudget.seeding.constraints import Rule
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_TRIED = 1000


class UniqueValues:
    def __init__(
        self, table: Table, rules: list[Rule], staging: StagingTables, widths: Mapping[str, float]
    ) -> None:
        self._table = table
        self._rules = rules
        self._staging = staging
        self._widths = widths
        self._dialect = table.dialect

    def sequence(self, field: Field, exact: bool) -> Sequence:
        """The distinct values of a field which agree with the rules on it alone.

        They also differ in what an expression may leave of them, their day for instance.
        """
        kind = kind_of(field, self._dialect)
        if not kind.choices and stored_as_builtin(field):
            rules = [rule for rule in self._rules if rule.fields == {field.name}]
            literals = [literal for rule in rules for literal in rule.literals]
            width = self._widths.get(str(field.column))
            wanted = WantedValues(self._last(kind), literals, exact, width)
            for formula in kind.formulas(wanted):
                if all(self._agrees(field, formula, rule) for rule in rules):
                    return formula
        return self._stored(field, kind)

    def _last(self, kind: FieldKind) -> int:
        existing = self._table.existing
        if not existing or not kind.counts_on:
            return existing
        column = self._dialect.column(kind.field)
        [(largest,)] = self._dialect.fetch(f"SELECT max({column}) FROM {self._table.name}")
        return max(int(largest or 0), 0)

    def _agrees(self, field: Field, sequence: Sequence, rule: Rule) -> bool:
        name = self._dialect.column(field)
        value = self._dialect.typed(sequence.at("series.i"), field)
        series = self._dialect.series(1, max(1, min(_TRIED, sequence.size)))
        sql = f"SELECT 1 FROM (SELECT {value} AS {name} FROM {series}) AS x WHERE {rule.broken}"
        return not self._dialect.fetch(f"{sql} LIMIT 1")

    def _stored(self, field: Field, kind: FieldKind) -> StoredSequence:
        found = self._unused(
            field, Numbering.of(kind.choices) if kind.choices else kind.numbering()
        )
        if not stored_as_builtin(field):
            found = self._storable(field, found)
        return StoredSequence(new_name(), field, self._dialect.column(field), found)

    def _unused(self, field: Field, values: Numbering) -> Numbering:
        existing = self._table.existing
        if not existing:
            return values
        if values.size > _TRIED:
            return Numbering(values.size - existing, lambda n: values.at(n + existing))
        rows = self._table.model._base_manager.using(self._dialect.connection.alias)
        taken = set(rows.values_list(field.name, flat=True))
        every = map(values.at, range(1, values.size + 1))
        return Numbering.of([value for value in every if value not in taken])

    def _storable(self, field: Field, values: Numbering) -> Numbering:
        tries = [values, Numbering(values.size, lambda n: field.to_python(values.at(n)))]
        errors: list[Exception] = []
        for attempt in tries:
            try:
                self._staging.trial(self._table.model, field, [attempt.at(n) for n in (1, 2)])
            except Exception as error:  # a field may raise anything
                errors.append(error)
            else:
                return attempt
        raise unstorable(self._table.label, field.name, errors)
