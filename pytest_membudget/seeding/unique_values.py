"""Finds the distinct values that a column can be given."""

from __future__ import annotations

from pytest_membudget.seeding.constraints import Rule
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import FieldKind, stored_as_builtin
from pytest_membudget.seeding.fields.base import WantedValues
from pytest_membudget.seeding.sequences import Numbering, Sequence, StoredSequence
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table

_TRIED = 1000


def unique_values(
    table: Table, field: Field, staging: StagingTables, width: float | None, exact: bool
) -> Sequence:
    """The distinct values of a field which agree with the rules on it alone.

    Unless ``exact``, they differ in what an expression may leave of them too, such as their day.
    """
    kind = table.kind(field.name)
    if not kind.choices and stored_as_builtin(field):
        rules = [rule for rule in table.rules if rule.fields == {field.name}]
        literals = [literal for rule in rules for literal in rule.literals]
        wanted = WantedValues(_last(table, kind), literals, exact, width)
        for formula in kind.formulas(wanted):
            if all(_agrees(table, field, formula, rule) for rule in rules):
                return formula
    values = kind.distinct()
    if not stored_as_builtin(field):
        values = _storable(field, values, staging)
    return _stored(table, field, values)


def _last(table: Table, kind: FieldKind) -> int:
    if not table.existing or not kind.counts_on:
        return table.existing
    column = table.dialect.column(kind.field)
    [(largest,)] = table.dialect.fetch(f"SELECT max({column}) FROM {table.name}")
    return max(int(largest or 0), 0)


def _agrees(table: Table, field: Field, sequence: Sequence, rule: Rule) -> bool:
    dialect = table.dialect
    name = dialect.column(field)
    value = dialect.typed(sequence.at("series.i"), field)
    series = dialect.series(1, max(1, min(_TRIED, sequence.size)))
    sql = f"SELECT 1 FROM (SELECT {value} AS {name} FROM {series}) AS x WHERE {rule.broken}"
    return not dialect.fetch(f"{sql} LIMIT 1")


def _stored(table: Table, field: Field, values: Numbering) -> StoredSequence:
    """The values that no row had before, and all of them."""
    existing, column = table.existing, table.dialect.column(field)
    if not existing or values.size > _TRIED:
        unused = Numbering(values.size - existing, lambda n: values.at(n + existing))
        return StoredSequence(field, column, unused)
    every = [values.at(n) for n in range(1, values.size + 1)]
    rows = table.model._base_manager.using(table.dialect.connection.alias)
    taken = set(rows.values_list(field.name, flat=True))
    unused = Numbering.of([value for value in every if value not in taken])
    return StoredSequence(field, column, unused, Numbering.of(every))


def _storable(field: Field, values: Numbering, staging: StagingTables) -> Numbering:
    tries = [values, Numbering(values.size, lambda n: field.to_python(values.at(n)))]
    errors: list[Exception] = []
    for attempt in tries:
        try:
            staging.trial(field, [attempt.at(n) for n in range(1, min(values.size, 2) + 1)])
        except Exception as error:  # a field may raise anything
            errors.append(error)
        else:
            return attempt
    raise unstorable(field.model._meta.label, field.name, errors)
