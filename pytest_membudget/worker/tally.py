"""Count the rows that a migration reads and writes, by table, where the driver hands them over.

The cursors are counted at the driver's level, so raw SQL and server-side cursors count too.
Forked children append to a file that the pytest process adds up, since a pool may kill them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pytest_membudget.worker import statements
from pytest_membudget.worker.high_water import Phases

_MOST_NOTED = 1000


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
        self.went_to: dict[str, set[tuple[str, ...]]] = {}
        self._noted: set[int] = set()
        self.most_parameters = 0
        self._overflow = overflow
        self._owner = os.getpid()

    def table_of(self, text: str) -> str:
        named = statements.tables(text)
        first = named[0] if named else ""
        seeded = next((table for table in named if table in self.tables), None)
        return seeded or ("" if first.startswith(statements.BOOKKEEPING) else first)

    def note_filter(self, table: str, text: str) -> None:
        """Remember the columns of a seeded table that a statement filters by."""
        condition = statements.where(text) if table in self.tables else None
        if condition is not None:
            chosen = statements.chosen_by(condition, table)
            self.filters.setdefault(table, set()).update(chosen)

    def note_tables(self, text: str) -> None:
        """Remember every table that a statement reads or changes rows of."""
        known = hash(text)
        if known in self._noted:
            return
        if len(self._noted) < _MOST_NOTED:
            self._noted.add(known)
        for table, columns in statements.destinations(text).items():
            if os.getpid() == self._owner:
                self.went_to.setdefault(table, set()).add(columns)
            else:
                self._tell_parent(f"went 0 {json.dumps([table, columns])}")

    def forget_tables(self) -> None:
        self.went_to.clear()
        self._noted.clear()

    def add(self, table: str, rows: int, *, written: bool) -> None:
        if rows <= 0 or not table:
            return
        if os.getpid() == self._owner:
            (self.written if written else self.read)[table] += rows
        else:
            self._tell_parent(f"{'written' if written else 'read'} {rows} {table}")

    def _tell_parent(self, line: str) -> None:
        with open(self._overflow, "a") as file:  # noqa: PTH123
            file.write(f"{line}\n")

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

        def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
            tally.note_tables(statements.head(statement))
            return super().copy(statement, *args, **kwargs)

        def stream(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            tally.note_tables(statements.head(query))
            return super().stream(query, *args, **kwargs)

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
        text = statements.head(query)
        written = statements.writes(text)
        table = tally.table_of(text)
        tally.note_filter(table, text)
        tally.note_tables(text)
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
