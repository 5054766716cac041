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


def missed(table: Table) -> list[str]:
    """The columns whose first rows have not the width or the share of NULLs that they should."""
    dialect, count = table.dialect, min(table.want, table.size)
    shaped = [column for column in table.columns.values() if column.shape]
    if count < _JUDGED or not shaped:
        return []
    parts = []
    for column in shaped:
        assert column.shape is not None
        stored = dialect.stored(
            column.name,
            column.field,
            compressed=column.shape.compressed and dialect.compresses,
            text=column.shape.text,
        )
        parts.append(f"avg({stored}), avg(CASE WHEN {column.name} IS NULL THEN 1.0 ELSE 0.0 END)")
    names = ", ".join(column.name for column in shaped)
    keys = getattr(table.model._meta, "pk_fields", None) or [table.model._meta.pk]
    order = ", ".join(dialect.column(key) for key in keys)
    rows = f"SELECT {names} FROM {table.name} ORDER BY {order} LIMIT {count}"
    rows += f" OFFSET {table.existing}"
    [found] = dialect.fetch(f"SELECT {', '.join(parts)} FROM ({rows}) AS x")
    seen = zip(shaped, found[::2], found[1::2], strict=True)
    return [str(c.field.column) for c, width, nulls in seen if _off(table, c, width, nulls)]


def _off(table: Table, column: Column, width: Any, nulls: Any) -> bool:
    shape = column.shape
    assert shape is not None
    if shape.nulls is not None and abs(float(nulls) - shape.nulls) > _NULLS:
        return True
    kind, dialect = kind_of(column.field, table.dialect), table.dialect
    if width is None or shape.width is None or not kind.has_width:
        return False
    wanted = shape.width
    if shape.compressed and not dialect.compresses:
        wanted *= kind.compression
    return abs(float(width) - wanted) > max(_BYTES, _WIDTH * wanted)
