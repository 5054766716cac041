"""From a historical model to the columns of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.db import models

from pytest_membudget.seeding import columns, constraints, forced_values, references
from pytest_membudget.seeding.column_stats import ColumnStats, StatsByColumn
from pytest_membudget.seeding.columns import Column, ConstantColumn, DrawnColumn, Marks
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind, kind_of
from pytest_membudget.seeding.profile_fit import ProfileFit
from pytest_membudget.seeding.references import ParentKeys
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table
from pytest_membudget.seeding.unique_together import Group
from pytest_membudget.seeding.unique_values import UniqueValues
from pytest_membudget.seeding.uniqueness import Uniqueness

Facts = tuple[Field, FieldKind, ColumnStats | None, float | None]
"""What every column is made of: see :class:`Column`."""


class Layout:
    """Lays out one table; ``parent`` gives the table of a model that this one refers to."""

    def __init__(
        self,
        table: Table,
        staging: StagingTables,
        wanted: Mapping[str, Sequence[Any]],
        profile: StatsByColumn,
        parent: Callable[[type[models.Model]], Table],
    ) -> None:
        self._table = table
        self._model = table.model
        self._uniques = constraints.uniques(self._model)
        self._profile = ProfileFit(self._model, table.dialect, profile)
        self._values = UniqueValues(table, staging, self._profile.widths)
        self._fields = {
            field.name: field
            for field in table.dialect.columns(self._model)
            if not isinstance(field, models.GeneratedField)
        }
        self._forced = self._force(wanted)
        self._keys: dict[str, ParentKeys] = {}
        for name, field in self._fields.items():
            if field.is_relation and name not in self._forced:
                target = cast("Any", field).target_field
                rows = parent(target.model)
                self._keys[name] = ParentKeys(rows, target, own=rows is table)

    def lay_out(self) -> None:
        constants = {
            name: column.values
            for name, column in self._forced.items()
            if isinstance(column, ConstantColumn)
        }
        self._uniqueness = Uniqueness(self._values, self._fields, self._keys, constants)
        self._uniqueness.settle(self._uniques)
        table, rules = self._table, self._values.rules
        table.rules, table.groups = rules, self._uniqueness.groups
        self._ruled = {name for rule in rules for name in rule.fields}
        self._shared = {name for rule in rules if len(rule.fields) > 1 for name in rule.fields}
        self._never_null = self._compared_nulls() | {
            related.field.target_field.name
            for related in self._model._meta.related_objects
            if isinstance(related.field, models.ForeignKey)
        }
        table.columns = {name: self._column(field) for name, field in self._fields.items()}

    def _force(self, wanted: Mapping[str, Sequence[Any]]) -> dict[str, Column]:
        """The columns that have to hold certain values; those the database fills are left out."""
        single = {u.fields for u in self._uniques if len(u.fields) == 1 and u.condition is None}
        forced: dict[str, Column] = {}
        for name, asked in wanted.items():
            if (field := self._fields.get(name)) is None:
                continue
            values = forced_values.storable_values(field, asked, (name,) in single)
            if values is None:
                continue
            self._table.forced_values[str(field.column)] = list(asked) if values else []
            if forced_values.is_left_to_database(field, values):
                del self._fields[name]
                continue
            kind = kind_of(field, self._table.dialect)
            if column := forced_values.forced_column(field, kind, values):
                forced[name] = column
        return forced

    def _compared_nulls(self) -> set[str]:
        """The fields of which NULLs are equal, and that are numbered to differ."""
        numbered = {*self._keys, *self._uniqueness.sequences}
        numbered.update(*(group.members for group in self._uniqueness.groups))
        equal = (unique.fields for unique in self._uniques if not unique.nulls_distinct)
        return numbered.intersection(name for fields in equal for name in fields)

    def _column(self, field: Field) -> Column:
        name, kind = field.name, kind_of(field, self._table.dialect)
        unique, group = self._uniqueness.sequences.get(name), self._uniqueness.group_of(name)
        if name in self._forced and not unique and not group:
            return self._forced[name]
        stats = self._profile.stats(field, kind)
        nulls = stats.nulls if stats and field.null and name not in self._never_null else None
        facts = field, kind, stats, nulls or None
        marks = Marks.FILLED if nulls or (name in self._shared and field.null) else Marks.NONE
        if unique:
            return self._unique(facts, marks)
        if group:
            return self._grouped(facts, marks, group)
        if name in self._keys:
            return self._reference(facts, marks)
        free = name not in self._ruled
        variation = self._profile.variation(field, kind, stats) if free else None
        return DrawnColumn(*facts, variation=variation)

    def _unique(self, facts: Facts, marks: Marks) -> Column:
        field, *_, nulls = facts
        keys = self._keys.get(field.name)
        if keys is None:
            sequence = self._uniqueness.sequences[field.name]
            return columns.UniqueColumn(*facts, sequence=sequence, marks=marks)
        if keys.own or not field.null:
            return references.UniqueReference(*facts, sequence=keys, marks=marks)
        marks = Marks.NUMBERED if nulls else marks
        return references.OptionalReference(*facts, sequence=keys, marks=marks)

    def _grouped(self, facts: Facts, marks: Marks, group: Group) -> Column:
        name = facts[0].name
        index = group.index(name)
        if keys := self._keys.get(name):
            return references.Reference(*facts, sequence=keys, index=index, marks=marks)
        sequence = group.members[name]
        return columns.SequenceColumn(*facts, sequence=sequence, index=index, marks=marks)

    def _reference(self, facts: Facts, marks: Marks) -> Column:
        field, _, stats, _ = facts
        keys = self._keys[field.name]
        if keys.own:
            return references.SelfReference(*facts, sequence=keys, marks=marks)
        if stats and marks is Marks.FILLED:
            marks = Marks.NUMBERED
        share = self._profile.share(keys.parent.model, stats)
        index = keys.spread(list(self._keys).index(field.name), share)
        return references.Reference(*facts, sequence=keys, index=index, marks=marks)
