"""Applies the profile to a table, and tells which columns do not match it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from pytest_membudget.profile.production import ColumnStats, StatsByColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind, stored_as_builtin
from pytest_membudget.seeding.fields.base import SPAN, Variation
from pytest_membudget.seeding.table import Table

_THRESHOLD = 2032
_POINTER = 18
"""PostgreSQL's TOAST_TUPLE_THRESHOLD, and what stays in a row of a value stored outside of it."""

_ALL = 0.95
"""Of so many parents the statistics say that all have children."""
_NULLS = 0.02
_WIDTH = 0.05
_BYTES = 4
_JUDGED = 50
"""How far a column may be from the profile, a few bytes aside, and how many rows show it."""


def followed_stats(table: Table, profile: StatsByColumn) -> dict[str, ColumnStats]:
    """What the table can follow of the profile, by column."""
    own = profile.get(table.model._meta.db_table, {})
    fields = table.fields.values() if own else ()
    kinds = {str(field.column): table.kind(field.name) for field in fields}
    found = as_toasted(own, {column: kind.compression for column, kind in kinds.items()})
    for column in kinds.keys() & found.keys():
        kind, stats = kinds[column], found[column]
        if stats.compressed and stats.width is not None and not table.dialect.compresses:
            stats = replace(stats, width=stats.width * kind.compression, compressed=False)
        # The field limits the values.
        limited = kind.choices or not kind.has_variety
        found[column] = replace(stats, distinct=None) if limited else stats
    return found


def variation(field: Field, kind: FieldKind, stats: ColumnStats | None) -> Variation | None:
    """For more distinct values than a template holds; only for fields that no rule is about."""
    if stats is None or kind.choices or not stored_as_builtin(field):
        return None
    many = (stats.distinct or 0) > SPAN and (stats.variety or 0) * SPAN >= 1
    return kind.variation(stats.width) if many else None


def share(parent: Mapping[str, ColumnStats], stats: ColumnStats | None) -> float:
    """The share of the rows of a parent, whose columns these are, that have children."""
    parents = max((column.rows or 0 for column in parent.values()), default=0)
    if stats is None or not stats.distinct or not parents:
        return 1.0
    share = stats.distinct / parents
    return 1.0 if share > _ALL else share


def profile_mismatches(table: Table, size: int) -> list[str]:
    """The columns whose first ``size`` rows miss the width or the share of NULLs of the profile."""
    dialect, count = table.dialect, min(table.want, size)
    judged = [(column, column.stats) for column in table.columns.values() if column.stats]
    if count < _JUDGED or not judged:
        return []
    parts = []
    for column, stats in judged:
        stored = dialect.stored(column.field, compressed=stats.compressed, text=stats.text)
        parts.append(f"avg({stored}), avg(CASE WHEN {column.name} IS NULL THEN 1.0 ELSE 0.0 END)")
    keys = getattr(table.model._meta, "pk_fields", None) or [table.model._meta.pk]
    order = ", ".join(dialect.column(key) for key in keys)
    rows = f"{table.name} ORDER BY {order} LIMIT {count} OFFSET {table.existing}"
    [found] = dialect.execute(f"SELECT {', '.join(parts)} FROM (SELECT * FROM {rows}) AS x")
    return [
        str(column.field.column)
        for (column, stats), width, nulls in zip(judged, found[::2], found[1::2], strict=True)
        if _is_off(column.kind, stats, width, nulls)
    ]


def _is_off(kind: FieldKind, stats: ColumnStats, width: Any, nulls: Any) -> bool:
    if stats.nulls is not None and abs(float(nulls) - stats.nulls) > _NULLS:
        return True
    if width is None or stats.width is None or kind.sized(Random()) is None:
        return False
    return abs(float(width) - stats.width) > max(_BYTES, _WIDTH * stats.width)


def as_toasted(
    columns: Mapping[str, ColumnStats], ratios: Mapping[str, float]
) -> dict[str, ColumnStats]:
    """The same, ``compressed`` only where PostgreSQL would have compressed.

    It takes the widest value of a row first and stops as soon as the row fits in a page's quarter,
    so narrow values are never compressed, nor are those of narrow rows.
    """
    raw = {
        name: (stats.width or 0) * (ratios.get(name, 1) if stats.compressed else 1)
        for name, stats in columns.items()
    }
    left = sum(raw.values())
    found = dict(columns)
    for name in sorted(raw, key=lambda name: -raw[name]):
        stats = columns[name]
        if left <= _THRESHOLD:
            found[name] = replace(stats, compressed=False)
        elif stats.compressed:
            stored = stats.width or 0
            left += (stored if stored <= _THRESHOLD else _POINTER) - raw[name]
        elif raw[name] > _THRESHOLD:
            left += _POINTER - raw[name]
    return found
