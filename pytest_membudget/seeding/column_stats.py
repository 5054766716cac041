"""What production's profile says about a column, and how seeding reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_THRESHOLD = 2032
_POINTER = 18
"""PostgreSQL's TOAST_TUPLE_THRESHOLD, and what stays in a row of a value stored outside of it."""


@dataclass(frozen=True)
class ColumnStats:
    """One column in production; None is what nobody knows.

    ``width``: average bytes of the values that are not NULL, without the database's own header.
    ``compressed``: is that the width after TOAST's compression?
    ``text``: is it that of the text which a document or an array is read as, not of what is stored?
    ``nulls``: the share of NULLs, 0 to 1.
    ``distinct``: how many different values there are among ``rows`` rows.
    """

    width: float | None = None
    compressed: bool = False
    text: bool = False
    nulls: float | None = None
    distinct: int | None = None
    rows: int | None = None

    @property
    def variety(self) -> float | None:
        """Different values for each row, up to 1."""
        if self.distinct is None or not self.rows:
            return None
        return min(1.0, self.distinct / self.rows)


StatsByColumn = Mapping[str, Mapping[str, ColumnStats]]
"""What is known, by table and column."""


def stats_by_column(
    document: Mapping[str, Mapping[str, Mapping[str, Any]]] | None,
) -> StatsByColumn:
    """It is read from JSON, whose keys are the attributes' names."""
    return {
        table: {column: ColumnStats(**stats) for column, stats in columns.items()}
        for table, columns in (document or {}).items()
    }


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
