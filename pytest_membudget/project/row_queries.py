"""The queries for some rows of a table: each goes along a key, and none sorts or scans it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from pytest_membudget.rows.tables import Place

_SECONDS = 10
TIMEOUT = {
    "postgresql": (
        # One view of the data, so that rows have the parents that they refer to.
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        f"SET LOCAL statement_timeout = '{_SECONDS}s'",
    ),
}
_STRETCHES = 12
_AT_ONCE = 200
_FIRST = 5
_CONTENT_TYPES = 10_000
_BYTES = 4 << 20
"""Rows of a table are read in so many stretches, up to so many bytes of them."""


@dataclass(frozen=True)
class TableFacts:
    """``columns`` by name; ``documents`` are those of JSON; ``key`` is the only one of its key."""

    name: str
    columns: Sequence[str]
    documents: frozenset[str]
    key: str | None
    references: Mapping[str, Place]


class _Room:
    """How many rows there is room for, by the width of those before; they may be very wide."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    def rows(self, wanted: int) -> int:
        if not self._count:
            return min(wanted, _FIRST)
        return max(0, min(wanted, (_BYTES - self._bytes) * self._count // max(1, self._bytes)))

    def used_by(self, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
        for row in rows:
            self._count += 1
            self._bytes += sum(len(one) for one in row if isinstance(one, str | bytes | memoryview))
            yield row


class RowQueries:
    def __init__(self, connection: BaseDatabaseWrapper, cursor: Any) -> None:
        self._introspection: Any = connection.introspection
        self._quote = connection.ops.quote_name
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, parameters)
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def tables(self) -> frozenset[str]:
        found = self._introspection.get_table_list(self._cursor)
        return frozenset(one.name for one in found if one.type in ("t", "p"))

    def content_types(self) -> dict[int, tuple[str, str]]:
        """The label of the model of each content type, in lower case."""
        table = self._column("django_content_type")
        found = self.execute(f"SELECT id, app_label, model FROM {table} LIMIT {_CONTENT_TYPES}")
        return {number: (app_label, model) for number, app_label, model in found}

    def facts(self, name: str, references: Mapping[str, Place]) -> TableFacts:
        """``references`` are those that are known without constraints."""
        inspect, cursor = self._introspection, self._cursor
        columns, documents = [], set()
        for one in inspect.get_table_description(cursor, name):
            columns.append(one.name)
            if self._is_document(one):
                documents.add(one.name)
        found = {
            column: (its[1], its[0]) for column, its in inspect.get_relations(cursor, name).items()
        }
        known = {column: place for column, place in references.items() if column in columns}
        key = inspect.get_primary_key_columns(cursor, name) or []
        return TableFacts(
            name, columns, frozenset(documents), key[0] if len(key) == 1 else None, known | found
        )

    def spread(self, facts: TableFacts, count: int) -> Iterator[list[Any]]:
        """About ``count`` rows, in stretches along the whole key where it is a number or a UUID.

        Rows of a stretch were made one after the other, so they share parents as they do there.
        """
        if facts.key is None:
            yield from self._rows(facts, "", (), count)
            return
        taken: set[Any] = set()
        place, key = list(facts.columns).index(facts.key), self._column(facts.key)
        room = _Room()
        for start in self._starts(facts):
            size = room.rows(-(-count // _STRETCHES))
            if size:
                where = f" WHERE {key} >= %s ORDER BY {key}"
                for row in room.used_by(self._rows(facts, where, (start,), size)):
                    if row[place] not in taken:
                        taken.add(row[place])
                        yield row
        if size := room.rows(count - len(taken)):
            rows = self._rows(facts, f" ORDER BY {key}", (), size + len(taken))
            more = (row for row in room.used_by(rows) if row[place] not in taken)
            yield from islice(more, size)

    def having(self, facts: TableFacts, column: str, values: Sequence[Any]) -> Iterator[list[Any]]:
        """The rows with one of these values."""
        room, left = _Room(), list(values)
        while left and (size := room.rows(min(_AT_ONCE, len(left)))):
            some, left = left[:size], left[size:]
            where = f" WHERE {self._column(column)} IN ({', '.join(['%s'] * len(some))})"
            yield from room.used_by(self._rows(facts, where, some, size))

    def _starts(self, facts: TableFacts) -> list[Any]:
        key, table = self._column(str(facts.key)), self._column(facts.name)
        # PostgreSQL has no min() of UUIDs before version 18.
        order = f"SELECT {key} FROM {table} ORDER BY {key}"
        ends = [self.execute(f"{order}{end} LIMIT 1", ()) for end in ("", " DESC")]
        if not all(ends):
            return []
        first, last = (end[0][0] for end in ends)
        if type(first) is int and type(last) is int:
            step = max(1, (last - first) // _STRETCHES)
            return list(range(first, last + 1, step))[:_STRETCHES]
        if isinstance(first, UUID):
            return [UUID(int=(n << 128) // _STRETCHES) for n in range(_STRETCHES)]
        return []

    def _rows(
        self, facts: TableFacts, rest: str, parameters: Sequence[Any], limit: int
    ) -> Iterator[list[Any]]:
        columns = ", ".join(map(self._column, facts.columns))
        sql = f"SELECT {columns} FROM {self._column(facts.name)}{rest} LIMIT {int(limit)}"
        return map(list, self.execute(sql, parameters))

    def _column(self, name: str) -> str:
        return str(self._quote(name)).replace("%", "%%")

    def _is_document(self, described: Any) -> bool:
        try:
            kind = self._introspection.get_field_type(described.type_code, described)
        except KeyError:
            return False
        return bool(kind == "JSONField")
