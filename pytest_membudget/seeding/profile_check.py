"""Tells where a seeded table could not be made like the profile."""

from __future__ import annotations

from typing import Any

from pytest_membudget.seeding.column_stats import ColumnStats
from pytest_membudget.seeding.fields import FieldKind
from pytest_membudget.seeding.table import Table

_NULLS = 0.02
_WIDTH = 0.05
_BYTES = 4
_JUDGED = 50
"""How far a column may be from the profile, a few bytes aside, and how many rows show it."""


def profile_mismatches(table: Table, size: int) -> list[str]:
    """The columns whose first ``size`` rows miss the width or the share of NULLs of the profile."""
    dialect, count = table.dialect, min(table.want, size)
    judged = [(column, column.stats) for column in table.columns.values() if column.stats]
    if count < _JUDGED or not judged:
        return []
    parts = []
    for column, stats in judged:
        stored = dialect.stored(
            column.name,
            column.field,
            compressed=stats.compressed and dialect.compresses,
            text=stats.text,
        )
        parts.append(f"avg({stored}), avg(CASE WHEN {column.name} IS NULL THEN 1.0 ELSE 0.0 END)")
    names = ", ".join(column.name for column, _ in judged)
    keys = getattr(table.model._meta, "pk_fields", None) or [table.model._meta.pk]
    order = ", ".join(dialect.column(key) for key in keys)
    rows = f"SELECT {names} FROM {table.name} ORDER BY {order} LIMIT {count}"
    rows += f" OFFSET {table.existing}"
    [found] = dialect.fetch(f"SELECT {', '.join(parts)} FROM ({rows}) AS x")
    return [
        str(column.field.column)
        for (column, stats), width, nulls in zip(judged, found[::2], found[1::2], strict=True)
        if _is_off(column.kind, stats, width, nulls)
    ]


def _is_off(kind: FieldKind, stats: ColumnStats, width: Any, nulls: Any) -> bool:
    if stats.nulls is not None and abs(float(nulls) - stats.nulls) > _NULLS:
        return True
    if width is None or stats.width is None or not kind.has_width:
        return False
    wanted = stats.width
    if stats.compressed and not kind.dialect.compresses:
        wanted *= kind.compression
    return abs(float(width) - wanted) > max(_BYTES, _WIDTH * wanted)
