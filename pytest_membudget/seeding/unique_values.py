"""Finds the distinct values that a column can be given."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_membudget.seeding import constraints
from pytest_membudget.seeding.constraints import Rule, Unique
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import FieldKind, kind_of, stored_as_builtin
from pytest_membudget.seeding.fields.base import WantedValues
from pytest_membudget.seeding.sequences import Numbering, Sequence, StoredSequence
from pytest_membudget.seeding.staging_tables import StagingTables, new_name
from pytest_membudget.seeding.table import Table

_TRIED = 1000


class UniqueValues:
    """``rules`` are those of the model, ``widths`` those that are known, by column."""

    def __init__(self, table: Table, staging: StagingTables, widths: Mapping[str, float]) -> None:
        self.label = table.label
        self.dialect = table.dialect
        self.rules = constraints.rules(table.model, table.dialect)
        self._table = table
        self._staging = staging
        self._widths = widths

    def avoid(self, unique: Unique) -> None:
        """Let no row be one that a conditional constraint is about."""
        name = f"unique {', '.join(unique.fields)}"
        model = self._table.model
        self.rules.append(constraints.rule(name, unique.condition, "{}", model, self.dialect))

    def sequence(self, field: Field, exact: bool) -> Sequence:
        """The distinct values of a field which agree with the rules on it alone.

        They also differ in what an expression may leave of them, their day for instance.
        """
        kind = kind_of(field, self.dialect)
        if not kind.choices and stored_as_builtin(field):
            rules = [rule for rule in self.rules if rule.fields == {field.name}]
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
        column = self.dialect.column(kind.field)
        [(largest,)] = self.dialect.fetch(f"SELECT max({column}) FROM {self._table.name}")
        return max(int(largest or 0), 0)

    def _agrees(self, field: Field, sequence: Sequence, rule: Rule) -> bool:
        name = self.dialect.column(field)
        value = self.dialect.typed(sequence.at("series.i"), field)
        series = self.dialect.series(1, max(1, min(_TRIED, sequence.size)))
        sql = f"SELECT 1 FROM (SELECT {value} AS {name} FROM {series}) AS x WHERE {rule.broken}"
        return not self.dialect.fetch(f"{sql} LIMIT 1")

    def _stored(self, field: Field, kind: FieldKind) -> StoredSequence:
        found = self._unused(field, kind.distinct())
        if not stored_as_builtin(field):
            found = self._storable(field, found)
        return StoredSequence(new_name(), field, self.dialect.column(field), found)

    def _unused(self, field: Field, values: Numbering) -> Numbering:
        existing = self._table.existing
        if not existing:
            return values
        if values.size > _TRIED:
            return Numbering(values.size - existing, lambda n: values.at(n + existing))
        rows = self._table.model._base_manager.using(self.dialect.connection.alias)
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
        raise unstorable(self.label, field.name, errors)
