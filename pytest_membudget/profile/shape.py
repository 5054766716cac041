"""What seeding takes from a profile: row counts, what the values of each column are like, and how
frequent they are.

PostgreSQL keeps long values outside of the row, so the widths of its catalogue are not enough.
"""

from __future__ import annotations

import re
from math import inf

from pytest_membudget.profile.document import ColumnProfile, Profile, TableProfile
from pytest_membudget.profile.production import ColumnStats, StatsByColumn
from pytest_membudget.profile.shares import ColumnShares, ValueShares

# What is left in the row of a value that is stored outside of it, without its header.
_POINTER = 17
# Four chunks of 1,996 bytes fill a page of 8,192.
_PAYLOAD = 4 * 1996 / 8192
# A row is compressed from 2 KB on, and few documents shrink to less than an eighth.
_MAYBE_COMPRESSED = 256

_DOCUMENT = re.compile(r"jsonb?|bytea|xml|hstore|.*\[\]")
_UNBOUNDED = re.compile(r"text|citext|character varying")


def row_counts(profile: Profile) -> dict[str, int | None]:
    """Rows by table; None for a table that production has never analysed."""
    return {name: table.rows for name, table in profile.tables.items()}


def shape(profile: Profile) -> StatsByColumn:
    return {name: column_stats(table, profile.exact) for name, table in profile.tables.items()}


def value_shares(profile: Profile) -> ValueShares:
    return ValueShares(
        {
            (table, name): ColumnShares(f"{table}.{name}", column.type, column.nulls, column.shares)
            for table, its in profile.tables.items()
            for name, column in its.columns.items()
        }
    )


def column_stats(table: TableProfile, exact: bool) -> dict[str, ColumnStats]:
    """Each column of a table, with a width that includes what is stored outside of the rows.

    The catalogue tells how much that is for the whole table, not of which columns.  It is given to
    those whose values look like pointers: documents, binary and arrays before text without a
    limit; where none do, to the longer ones in proportion.
    Source: PostgreSQL's documentation, "TOAST", and access/heaptoast.h.
    """
    outside = _outside(table)
    return {
        name: ColumnStats(
            width=None if column.width is None else round(column.width + outside.get(name, 0), 1),
            compressed=name in outside or _maybe_compressed(table, column),
            text=exact,
            nulls=column.nulls,
            distinct=column.distinct,
            rows=table.rows,
        )
        for name, column in table.columns.items()
    }


def _outside(table: TableProfile) -> dict[str, float]:
    """Bytes a value outside of the row, for each column that may have values there."""
    if not table.toast_bytes or not table.rows:
        return {}
    columns = _columns_outside(table)
    inside = table.rows * sum(
        (1 - (column.nulls or 0)) * (column.width or 0) for column in columns.values()
    )
    return {
        name: table.toast_bytes * _PAYLOAD * (column.width or 0) / inside
        for name, column in columns.items()
        if inside
    }


def _columns_outside(table: TableProfile) -> dict[str, ColumnProfile]:
    def long(kind: re.Pattern[str], least: float, most: float = inf) -> dict[str, ColumnProfile]:
        return {
            name: column
            for name, column in table.columns.items()
            if kind.fullmatch(column.type) and least <= (column.width or 0) <= most
        }

    for kind in (_DOCUMENT, _UNBOUNDED):
        found = long(kind, _POINTER - 1, _POINTER + 1) or long(kind, _POINTER)
        if found:
            return found
    return long(_DOCUMENT, 1) or long(_UNBOUNDED, 1)


def _maybe_compressed(table: TableProfile, column: ColumnProfile) -> bool:
    # An exact profile has measured the values themselves, and does not tell toast_bytes.
    if table.toast_bytes is None or (column.width or 0) < _MAYBE_COMPRESSED:
        return False
    return bool(_DOCUMENT.fullmatch(column.type) or _UNBOUNDED.fullmatch(column.type))
