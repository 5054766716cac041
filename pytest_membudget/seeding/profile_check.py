"""Tells where a seeded table could not be made like the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.fields import kind_of

if TYPE_CHECKING:
    from pytest_membudget.seeding.columns import Column
    from pytest_membudget.seeding.table import Table

_NULLS = 0.02
_WIDTH = 0.05
_BYTES = 4
_JUDGED = 50
"""How far a column may be from the profile, a few bytes aside, and how many rows show it."""


def profile_mismatches(table: Table, size: int) -> list[str]:
    """The columns whose first ``size`` rows miss the width or the share of NULLs of the profile."""
    dialect, count = table.dialect, min(table.want, size)
    judged = [column for column in table.columns.values() if column.stats]
    if count < _JUDGED or not judged:
        return []
    parts = []
    for column in judged:
        assert column.stats is not None
        stored = dialect.stored(
            column.name,
            column.field,
            compressed=column.stats.compressed and dialect.compresses,
            text=column.stats.text,
        )
        parts.append(f"avg({stored}), avg(CASE WHEN {column.name} IS NULL THEN 1.0 ELSE 0.0 END)")
    names = ", ".join(column.name for column in judged)
    keys = getattr(table.model._meta, "pk_fields", None) or [table.model._meta.pk]
    order = ", ".join(dialect.column(key) for key in keys)
    rows = f"SELECT {names} FROM {table.name} ORDER BY {order} LIMIT {count}"
    rows += f" OFFSET {table.existing}"
    [found] = dialect.fetch(f"SELECT {', '.join(parts)} FROM ({rows}) AS x")
    seen = zip(judged, found[::2], found[1::2], strict=True)
    return [str(c.field.column) for c, width, nulls in seen if _off(table, c, width, nulls)]


def _off(table: Table, column: Column, width: Any, nulls: Any) -> bool:
    stats = column.stats
    assert stats is not None
    if stats.nulls is not None and abs(float(nulls) - stats.nulls) > _NULLS:
        return True
    kind, dialect = kind_of(column.field, table.dialect), table.dialect
    if width is None or stats.width is None or not kind.has_width:
        return False
    wanted = stats.width
    if stats.compressed and not dialect.compresses:
        wanted *= kind.compression
    return abs(float(width) - wanted) > max(_BYTES, _WIDTH * wanted)
