"""Count the rows that a migration reads and writes, by table, where the driver hands them over.

The cursors are counted at the driver's level, so raw SQL and server-side cursors count too.
Forked children append to a file that the pytest process adds up, since a pool may kill them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pytest_membudget.worker.high_water import Phases

_TABLE = re.compile(r"\b(?:FROM|UPDATE|INTO|JOIN)\s+(?:ONLY\s+)?([^\s(),;]+)", re.IGNORECASE)
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b", re.IGNORECASE)
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\s+INTO\s+([^\s(]+)", re.IGNORECASE)
# A handful of rows, whatever the table holds.
_BOUNDED = re.compile(
    r"\s*SELECT\s+(?:1 AS|COUNT\(|MAX\(|MIN\(|SUM\(|AVG\(|EXISTS)|\bLIMIT\s+\d{1,2}\s*$",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\bWHERE\b(.*)", re.IGNORECASE | re.DOTALL)
_COLUMN = re.compile(r'(?:"([^"]+)"\.)?"([^"]+)"')
_HEAD = 20_000
# What migrate reads and writes for itself.
_BOOKKEEPING = ("django_migrations", "django_content_type", "auth_permission", "pg_", "sqlite_")


class Tally:
    """Rows by table.  ``tables`` are the seeded ones; a statement is credited to the first.

    ``phases`` is told of each statement before it is sent; ``most_parameters`` counts those of
    the statement that had the most.  ``went_to`` holds every table but those that rows are only
    inserted into, with the columns by which statements choose any number of its rows.
    """

    def __init__(self, tables: list[str], overflow: str, phases: Phases) -> None:
        self.tables = set(tables)
        self.phases = phases
        self.read: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.filters: dict[str, set[str]] = {}
        self.went_to: dict[str, set[str]] = {}
        self.most_parameters = 0
        self._overflow = overflow
        self._owner = os.getpid()

    def table_of(self, sql: object) -> str:
        first = ""
        for match in _TABLE.finditer(str(sql)[:_HEAD]):
            table = _unquoted(match[1])
            if table in self.tables:
                return table
            first = first or table
        return "" if first.startswith(_BOOKKEEPING) else first

    def note_filter(self, table: str, sql: object) -> None:
        """Remember the columns of a seeded table that a statement filters by."""
        where = _WHERE.search(str(sql)[:_HEAD]) if table in self.tables else None
        if where is not None:
            columns = {column for of, column in _COLUMN.findall(where[1]) if of in ("", table)}
            self.filters.setdefault(table, set()).update(columns)

    def note_tables(self, sql: object) -> None:
        """Remember every table that a statement reads or changes rows of."""
        text = str(sql)[:_HEAD]
        insert = _INSERT.match(text)
        target = _unquoted(insert[1]) if insert else None
        tables = {_unquoted(match[1]) for match in _TABLE.finditer(text)} - {target}
        where = None if _BOUNDED.search(text) or _WRITES.match(text) else _WHERE.search(text)
        columns = _COLUMN.findall(where[1]) if where else []
        for table in tables:
            if not table.startswith(_BOOKKEEPING):
                chosen = {column for of, column in columns if of in ("", table)}
                self.went_to.setdefault(table, set()).update(chosen)

    def add(self, table: str, rows: int, *, written: bool) -> None:
        if rows <= 0 or not table:
            return
        if os.getpid() == self._owner:
            (self.written if written else self.read)[table] += rows
        else:
            with open(self._overflow, "a") as file:  # noqa: PTH123
                file.write(f"{'written' if written else 'read'} {rows} {table}\n")

    def counting(self, base: type[Any]) -> type[Any]:
        """A subclass of a driver's cursor class that counts into this tally."""
        return _counting(base, self)

    def watch(self, connection: Any, **_: Any) -> None:
        """Count on a Django connection; made for the ``connection_created`` signal."""
        if connection.vendor == "sqlite":
            from django.db.backends.sqlite3.base import SQLiteCursorWrapper

            counting = self.counting(SQLiteCursorWrapper)
            connection.create_cursor = lambda name=None: connection.connection.cursor(
                factory=counting
            )
            return
        from django.db.backends.postgresql import base

        holders = [(connection.connection, "cursor_factory")]
        holders += [(connection.connection, "server_cursor_factory"), (base, "ServerSideCursor")]
        for holder, name in holders:
            cursor_class = getattr(holder, name, None)
            if cursor_class is not None and not hasattr(cursor_class, "_counted_as"):
                setattr(holder, name, self.counting(cursor_class))


def _unquoted(name: str) -> str:
    return name.replace('"', "").replace("`", "")


def _counting(base: type[Any], tally: Tally) -> type[Any]:
    def counted(self: Any, rows: int) -> None:
        table, written = self._counted_as
        tally.add(table, rows, written=written)

    class CountingCursor(base):  # type: ignore[misc]
        _counted_as = ("", False)

        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], list | tuple | dict):
                tally.most_parameters = max(tally.most_parameters, len(args[0]))
            return _execute(self, super().execute, query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            return _execute(self, super().executemany, query, *args, **kwargs)

        def fetchone(self) -> Any:
            row = super().fetchone()
            counted(self, row is not None)
            return row

        def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
            rows = super().fetchmany(*args, **kwargs)
            counted(self, len(rows))
            return rows

        def fetchall(self) -> Any:
            rows = super().fetchall()
            counted(self, len(rows))
            return rows

    def __next__(self: Any) -> Any:
        row = base.__next__(self)
        counted(self, 1)
        return row

    def __iter__(self: Any) -> Iterator[Any]:
        for row in base.__iter__(self):
            counted(self, 1)
            yield row

    def _execute(
        cursor: Any, execute: Callable[..., Any], query: Any, *args: Any, **kwargs: Any
    ) -> Any:
        tally.phases.note(query)
        written = bool(_WRITES.match(query)) if isinstance(query, str) else False
        table = tally.table_of(query)
        tally.note_filter(table, query)
        tally.note_tables(query)
        cursor._counted_as = (table, written)
        result = execute(query, *args, **kwargs)
        if written and cursor.description is None:
            counted(cursor, cursor.rowcount)
        return result

    if hasattr(base, "__next__"):
        CountingCursor.__next__ = __next__
    else:
        CountingCursor.__iter__ = __iter__
    CountingCursor.__name__ = base.__name__
    return CountingCursor
