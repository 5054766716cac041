"""Lets the columns of a designed table follow the profile, as far as the model's rules let them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding import constraints
from pytest_membudget.seeding.column_stats import as_toasted
from pytest_membudget.seeding.columns import Partial, Picked, Rows, Varied
from pytest_membudget.seeding.fields import FieldKind, kind_of, stored_as_builtin
from pytest_membudget.seeding.fields.base import SPAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_membudget.seeding.column_stats import ColumnStats, StatsByColumn
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_ALL = 0.95
"""Of so many parents the statistics say that all have children."""


def follow(table: Table, shapes: StatsByColumn) -> None:
    """Give the columns their shapes. Those of a column that has just been added stay empty."""
    dialect, own = table.dialect, shapes.get(table.model._meta.db_table, {})
    kinds = {str(f.column): kind_of(f, dialect) for f in dialect.columns(table.model)}
    toasted = as_toasted(own, {name: kind.compression for name, kind in kinds.items()})
    fixed = _fixed(table)
    for place, (name, column) in enumerate(list(table.columns.items())):
        field = column.field
        kind = kinds[str(field.column)]
        shape = toasted.get(str(field.column))
        if shape is None or column.constant or column.once:
            continue
        if isinstance(column, Picked):
            _pick(table, column, shape, place, shapes)
        elif _varies(table, kind, shape) and (found := kind.variation(shape.width)):
            column = Varied(field, column.name, table=table, variation=found)
            table.columns[name] = column
        column.shape = _known(kind, shape)
        if shape.nulls and field.null and name not in fixed:
            column.nulls = shape.nulls
            if isinstance(column, Picked):
                column.masked = True
                column.ranked = column.ranked or isinstance(column, Partial)


def _pick(
    table: Table, column: Picked, shape: ColumnStats, place: int, shapes: StatsByColumn
) -> None:
    """Let a plain reference leave out the parents that have no children in production."""
    domain = column.domain
    if not isinstance(domain, Rows) or type(column) is not Picked or column.alone:
        return
    if any(column in group.members for group in table.groups):
        return
    column.ranked = True
    parents = max((s.rows or 0 for s in shapes.get(_table(domain), {}).values()), default=0)
    share = min(1.0, shape.distinct / parents) if shape.distinct and parents else 1.0
    column.index = _spread(domain, 1.0 if share > _ALL else share, place)


def _spread(domain: Rows, share: float, place: int) -> Callable[[str], str]:
    def index(i: str) -> str:
        return f"(({i} - 1 + {place}) % {max(1, round(domain.size * share))} + 1)"

    return index


def _table(domain: Rows) -> str:
    return domain.table.model._meta.db_table


def _fixed(table: Table) -> set[str]:
    """Fields that must not become NULL: where NULLs are equal, and where children point at them."""
    found = {
        name
        for unique in constraints.uniques(table.model)
        if not unique.nulls_distinct
        for name in unique.fields
        if isinstance(table.columns.get(name), Picked)
    }
    pointing = [related.field for related in table.model._meta.related_objects]
    return found | {f.target_field.name for f in pointing if isinstance(f, models.ForeignKey)}


def _varies(table: Table, kind: FieldKind, shape: ColumnStats) -> bool:
    """Are there more different values than a template holds, and no rule that could mind?"""
    ruled = {name for rule in table.rules for name in rule.fields}
    many = (shape.distinct or 0) > SPAN and (shape.variety or 0) * SPAN >= 1
    free = not kind.choices and kind.field.name not in ruled
    return many and free and stored_as_builtin(kind.field)


def _known(kind: FieldKind, shape: ColumnStats) -> ColumnStats:
    """The shape without what is decided by the field: which values there are of two or of a few."""
    if kind.choices or not kind.has_variety:
        return replace(shape, distinct=None)
    return shape
