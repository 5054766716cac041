"""From a historical model to the columns of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.db import models

from pytest_membudget.profile.production import StatsByColumn
from pytest_membudget.sample.lesson import Expected
from pytest_membudget.seeding import columns, constraints, references
from pytest_membudget.seeding.asked_columns import AskedColumns
from pytest_membudget.seeding.columns import Column, ConstantColumn
from pytest_membudget.seeding.copied_columns import copied_column
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.named_keys import NamedKeys, keys_of
from pytest_membudget.seeding.profile_fit import followed_stats, share, variation
from pytest_membudget.seeding.references import InheritedKeys, ParentKeys
from pytest_membudget.seeding.table import Table
from pytest_membudget.seeding.trees import tree_columns
from pytest_membudget.seeding.uniqueness import Uniqueness

# How far, as a share, the profile's average width of a text may be from the default's.
_SAME_WIDTH = 0.1


class Layout:
    """Lays out one table; ``parent`` gives the table of a model that this one refers to."""

    def __init__(
        self,
        table: Table,
        wanted: Mapping[str, Sequence[Any]],
        profile: StatsByColumn,
        parent: Callable[[type[models.Model]], Table],
    ) -> None:
        self._table = table
        table.rules = constraints.rules(table.model, table.dialect)
        fields = table.dialect.columns(table.model)
        table.fields = {f.name: f for f in fields if not constraints.is_generated(f)}
        self._profile = profile
        self._stats = followed_stats(table, profile)
        self._uniques = constraints.every_unique(table.model, table.dialect.connection)
        wanted = AskedColumns(table, self._uniques, self._stats).set(wanted)
        self._keys: dict[str, ParentKeys] = {}
        for name, field in table.fields.items():
            if field.is_relation and name not in table.columns:
                target = cast("Any", field).target_field
                rows = parent(target.model)
                if asked := self._rows_asked(field, rows, wanted.get(name, ())):
                    table.columns[name] = ConstantColumn(field, table.kind(name), values=asked)
                    table.forced_values[str(field.column)] = asked
                elif named := self._rows_named(field, rows, wanted.get(name, ())):
                    kind = table.kind(name)
                    table.columns[name] = references.NamedReference(
                        field, kind, values=named, parent=rows
                    )
                    table.forced_values[str(field.column)] = list(wanted[name])
                else:
                    own, spared = rows is table, 1 + table.spares
                    inherited = getattr(field.remote_field, "parent_link", False)
                    keys = InheritedKeys if inherited else ParentKeys
                    self._keys[name] = keys(rows, target, own=own, spared=spared)
        self._keys |= self._taught(parent)
        self._uniqueness = Uniqueness(table, self._keys, self._stats, self._uniques)
        rules = table.rules
        self._ruled = {name for rule in rules for name in rule.fields}
        self._shared = {name for rule in rules if len(rule.fields) > 1 for name in rule.fields}
        self._never_null = self._compared_nulls() | {
            related.field.target_field.name
            for related in table.model._meta.related_objects
            if isinstance(related.field, models.ForeignKey)
        }

    def columns(self) -> dict[str, Column]:
        table = self._table
        tree = {n: one for n, one in tree_columns(table).items() if n not in table.columns}
        return {
            name: tree.get(name) or self._column(name, field)
            for name, field in table.fields.items()
        }

    def _rows_asked(self, field: Any, parent: Table, values: Sequence[Any]) -> list[Any]:
        """The parent's rows, of those there before, to which statements ask all to refer."""
        if any(unique.fields == (field.name,) for unique in self._uniques):
            return []
        return parent.keys_asked(field.target_field, [one for one in values if one is not None])

    def _taught(self, parent: Callable[[type[models.Model]], Table]) -> dict[str, ParentKeys]:
        """The columns without a foreign key that the code takes for one."""
        table, found = self._table, dict[str, ParentKeys]()
        for lesson in table.lessons:
            for name, field in table.fields.items():
                place = (table.model._meta.db_table, str(field.column))
                if lesson.expected == Expected.KEY and place in lesson.columns:
                    rows = parent(table.model._meta.apps.get_model(lesson.asked[0]))
                    found[name] = ParentKeys(rows, rows.model._meta.pk, own=rows is table)
        return {name: keys for name, keys in found.items() if name not in table.columns}

    def _rows_named(self, field: Any, parent: Table, values: Sequence[Any]) -> list[Any]:
        """The keys of generated rows of the parent to which statements ask all to refer."""
        target = field.target_field
        named = [] if parent is self._table else keys_of(target, values)
        if any(unique.fields == (field.name,) for unique in self._uniques):
            return []
        if named and not (target.is_relation or parent.reused):
            known = parent.named.setdefault(target.name, [])
            known += [one for one in named if one not in known]
            return named
        return []

    def _compared_nulls(self) -> set[str]:
        """The fields of which NULLs are equal, and that are numbered to differ."""
        numbered = {*self._keys, *self._uniqueness.sequences}
        numbered.update(*(group.members for group in self._table.groups))
        equal = (unique.fields for unique in self._uniques if not unique.nulls_distinct)
        return numbered.intersection(name for fields in equal for name in fields)

    def _column(self, name: str, field: Field) -> Column:
        kind, keys = self._table.kind(name), self._keys.get(name)
        unique, group = self._uniqueness.sequences.get(name), self._uniqueness.group_of(name)
        if name in self._table.columns and not unique and not group:
            return self._table.columns[name]
        prototypes = self._table.prototypes
        # Whole rounds of copies of links are as unique as these were.
        if prototypes and (not group or (keys and not prototypes.named)):
            values = prototypes.values[name]
            if copied := copied_column(field, kind, keys, values, unique=bool(unique)):
                return copied
        stats = self._stats.get(str(field.column))
        empties = field.null and name not in self._never_null
        nulls = (stats.nulls or None) if stats and empties else None
        if prototypes:
            nulls = prototypes.nulls[name] or None
        facts: dict[str, Any] = {"field": field, "kind": kind, "stats": stats, "nulls": nulls}
        if not (unique or group or keys):
            free = name not in self._ruled
            facts["variation"] = variation(field, kind, stats) if free else None
            return columns.DrawnColumn(**facts)
        marked = facts["in_template"] = bool(nulls or (name in self._shared and field.null))
        facts["sequence"] = keys or unique
        if group and not unique:
            facts |= {"sequence": group.members[name], "index": group.index(name)}
            return references.Reference(**facts) if keys else columns.SequenceColumn(**facts)
        if keys is None:
            if unique and name in self._never_null:
                named = self._table.named.setdefault(name, [])
                facts["sequence"] = NamedKeys(unique, named, field, self._table.dialect)
            return columns.UniqueColumn(**facts)
        if unique and (keys.own or not field.null):
            return references.UniqueReference(**facts)
        if keys.own:
            return references.SelfReference(**facts)
        facts["numbered"] = bool(nulls or (stats and marked and not unique))
        if unique:
            return references.OptionalReference(**facts)
        parent = self._profile.get(keys.parent.model._meta.db_table, {})
        index = keys.spread(list(self._keys).index(name), share(parent, stats))
        # So many rows in a row, so that it holds also while the tables grow.
        if (times := max(self._table.repeats.get(name, 1), self._table.crowd)) > 1:
            quotient = kind.dialect.quotient.format
            facts["index"] = lambda i: index(quotient(f"({i} + {times - 1})", times))
        else:
            facts["index"] = index
        return references.Reference(**facts)
