"""A fingerprint of each column, which tells whether two databases hold the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_membudget.database.engine import engine_of

_CHUNK = 2000
# By table and column; the number of rows stands under no name.
Fingerprint = Mapping[str, Mapping[str, str]]


def digest(connection: Any) -> dict[str, dict[str, str]]:
    """The sum of the hashes of a column's values, each with the key of its row."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        tables = sorted(set(introspection.table_names(cursor)) - {"django_migrations"})
        return {table: _of_table(connection, cursor, table) for table in tables}


def varying(first: Fingerprint, second: Fingerprint) -> set[tuple[str, str]]:
    """The columns that differ."""
    return {
        (table, column)
        for table in first.keys() | second.keys()
        for column in {*first.get(table, {}), *second.get(table, {})}
        if first.get(table, {}).get(column) != second.get(table, {}).get(column)
    }


def _of_table(connection: Any, cursor: Any, table: str) -> dict[str, str]:
    introspection, quote = connection.introspection, connection.ops.quote_name
    columns = [one.name for one in introspection.get_table_description(cursor, table)]
    keys = introspection.get_primary_key_columns(cursor, table) or []
    names, its = ["", *columns], ", ".join(map(quote, keys))
    if form := engine_of(connection.vendor).fingerprint:
        together = (f"{its}, {quote(column)}" if keys else quote(column) for column in columns)
        sums = ", ".join(["count(*)", *(form.format(columns=one) for one in together)])
        cursor.execute(f"SELECT {sums} FROM {quote(table)}")
        return dict(zip(names, map(str, cursor.fetchone()), strict=True))
    cursor.execute(f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}")
    places = [columns.index(key) for key in keys]
    totals = [0] * len(names)
    while rows := cursor.fetchmany(_CHUNK):
        for row in rows:
            key = [row[place] for place in places]
            totals = [total + _hash(key, n, row) for n, total in enumerate(totals)]
    return dict(zip(names, map(str, totals), strict=True))


def _hash(key: Sequence[Any], number: int, row: Sequence[Any]) -> int:
    """1 for the number of rows, else the hash of a value with the key."""
    if not number:
        return 1
    text = repr((key, row[number - 1])).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
