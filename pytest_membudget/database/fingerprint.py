"""A fingerprint of each table, which tells whether two databases hold the same rows."""

from __future__ import annotations

import hashlib
from typing import Any

from pytest_membudget.database.engine import engine_of

# Their values may differ between two runs of the same migration.
_OF_THE_MOMENT = {"DateTimeField", "TimeField"}
_CHUNK = 2000


def digest(connection: Any) -> dict[str, str]:
    """A fingerprint by table: the sum of its rows' hashes, without columns of dates and times."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        tables = sorted(set(introspection.table_names(cursor)) - {"django_migrations"})
        return {table: _of_table(connection, cursor, table) for table in tables}


def _of_table(connection: Any, cursor: Any, table: str) -> str:
    introspection, quote = connection.introspection, connection.ops.quote_name
    columns = [
        quote(column.name)
        for column in introspection.get_table_description(cursor, table)
        if introspection.get_field_type(column.type_code, column) not in _OF_THE_MOMENT
    ]
    if query := engine_of(connection.vendor).fingerprint:
        cursor.execute(query.format(columns=", ".join(columns), table=quote(table)))
        return str(cursor.fetchone())
    cursor.execute(f"SELECT {', '.join(columns)} FROM {quote(table)}")
    total = 0
    while rows := cursor.fetchmany(_CHUNK):
        total += sum(_hash(row) for row in rows)
    return str(total)


def _hash(row: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")
