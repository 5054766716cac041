"""Decides by which columns the rows of a table differ, and finds the values of those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_membudget.profile.production import ColumnStats
from pytest_membudget.seeding import constraints
from pytest_membudget.seeding.columns import ConstantColumn
from pytest_membudget.seeding.constraints import Rule, Unique
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import refusal, unstorable
from pytest_membudget.seeding.fields import FieldKind, stored_as_builtin
from pytest_membudget.seeding.fields.base import WantedValues
from pytest_membudget.seeding.sequences import Group, Numbering, Sequence, StoredSequence
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table

_WIDE = 10**8
"""Enough values for any table, so that a column can be unique on its own."""
_TRIED = 1000


class Uniqueness:
    """``sequences``: the columns that are unique on their own.

    ``keys`` are what references point at, ``stats`` are those of the profile, by column.
    """

    def __init__(
        self,
        table: Table,
        keys: Mapping[str, Sequence],
        stats: Mapping[str, ColumnStats],
        uniques: Iterable[Unique],
    ) -> None:
        self.sequences: dict[str, Sequence] = {}
        self._table = table
        self._keys = keys
        self._stats = stats
        self._uniques = uniques
        self._constants = {
            name: column.values
            for name, column in table.columns.items()
            if isinstance(column, ConstantColumn)
        }
        for unique in uniques:
            names = [name for name in unique.fields if name in table.fields]
            if not self._is_settled(unique, names):
                self._settle(unique, [name for name in names if name not in self._constants])

    def group_of(self, name: str) -> Group | None:
        return next((group for group in self._table.groups if name in group.members), None)

    def _is_settled(self, unique: Unique, names: list[str]) -> bool:
        empty = any(self._constants.get(name) == [None] for name in names)
        return (
            any(name in self.sequences for name in names)
            or (empty and unique.nulls_distinct)
            or any(group.members.keys() <= set(names) for group in self._table.groups)
        )

    def _settle(self, unique: Unique, members: list[str]) -> None:
        free = [name for name in members if not self.group_of(name)]
        parents = [name for name in free if name in self._keys]
        label, table = ", ".join(unique.fields), self._table
        # Rows that are to agree in each of them refer to different rows.
        alike = [] if not parents or set(members) - table.repeats.keys() else members
        alike = [name for name in alike if name not in self._keys]
        wide = [name for name in free if name not in alike and self._is_wide(name, unique)]
        if len(members) == 1 and unique.condition is None:
            self._make_unique(members[0], unique)
        elif wide:
            self._make_unique(min(wide, key=self._price), unique)
        elif unique.condition is not None:
            # No row is one that a conditional constraint is about.
            name = f"unique {label}"
            rule = constraints.rule(name, unique.condition, table.model, table.dialect, "{}")
            table.rules.append(rule)
        elif free and len(free) == len(members):
            sequences = {name: self._sequence(name, unique) for name in free}
            for sequence in sequences.values():
                if isinstance(sequence, StoredSequence):
                    sequence.partners = list(sequences.values())
            table.groups.append(Group(sequences, alike, table.dialect.quotient))
        elif parents:
            self._make_unique(parents[0], unique)
        else:
            reason = "it has no column whose values can differ from row to row"
            raise refusal(table.label, label, reason)

    def _make_unique(self, name: str, unique: Unique) -> None:
        self.sequences[name] = self._sequence(name, unique)

    def _is_wide(self, name: str, unique: Unique) -> bool:
        if name in self._keys or self._table.kind(name).choices:
            return False
        return self._sequence(name, unique).size >= _WIDE

    def _price(self, name: str) -> tuple[int, int, int]:
        """The column with the lowest price becomes the one that is unique on its own."""
        rules = self._table.rules
        compared = sum(len(rule.fields) > 1 and name in rule.fields for rule in rules)
        shared = sum(name in unique.fields for unique in self._uniques)
        return compared, -shared, self._table.kind(name).unique_rank

    def _sequence(self, name: str, unique: Unique) -> Sequence:
        """The distinct values of a field which agree with the rules on it alone."""
        if name in self._keys:
            return self._keys[name]
        table, field, kind = self._table, self._table.fields[name], self._table.kind(name)
        values = kind.distinct()
        if not stored_as_builtin(field):
            return _stored(table, field, _storable(field, values, table.staging))
        if not kind.choices:
            rules = [rule for rule in table.rules if rule.fields == {name}]
            literals = [literal for rule in rules for literal in rule.literals]
            stats = self._stats.get(str(field.column), ColumnStats())
            wanted = WantedValues(_last(table, kind), literals, unique.exact, stats.width)
            for formula in kind.formulas(wanted):
                if all(_agrees(table, field, formula, rule) for rule in rules):
                    return formula
        return _stored(table, field, values)


def _last(table: Table, kind: FieldKind) -> int:
    if not table.existing or not kind.counts_on:
        return table.existing
    column = table.dialect.column(kind.field)
    [(largest,)] = table.dialect.execute(f"SELECT max({column}) FROM {table.name}")
    return max(int(largest or 0), 0)


def _agrees(table: Table, field: Field, sequence: Sequence, rule: Rule) -> bool:
    dialect = table.dialect
    name = dialect.column(field)
    value = dialect.typed(sequence.at("series.i"), field)
    series = dialect.series.format(1, max(1, min(_TRIED, sequence.size)))
    sql = f"SELECT 1 FROM (SELECT {value} AS {name} FROM {series}) AS x WHERE {rule.broken}"
    return not dialect.execute(f"{sql} LIMIT 1")


def _stored(table: Table, field: Field, values: Numbering) -> StoredSequence:
    """The values that no row had before, and all of them."""
    existing, column = table.existing, table.dialect.column(field)
    if not existing or values.size > _TRIED:
        unused = Numbering(values.size - existing, lambda n: values.at(n + existing))
        return StoredSequence(field, column, unused)
    every = [values.at(n) for n in range(1, values.size + 1)]
    taken = set(table.rows.values_list(field.name, flat=True))
    unused = Numbering.of([value for value in every if value not in taken])
    return StoredSequence(field, column, unused, Numbering.of(every))


def _storable(field: Field, values: Numbering, staging: StagingTables) -> Numbering:
    converted = Numbering(values.size, lambda n: field.to_python(values.at(n)))
    errors: list[Exception] = []
    for attempt in (values, converted):
        try:
            staging.trial(field, [attempt.at(n) for n in range(1, min(values.size, 2) + 1)])
            return attempt
        except Exception as error:  # a field may raise anything
            errors.append(error)
    raise unstorable(field.model._meta.label, field.name, errors)
