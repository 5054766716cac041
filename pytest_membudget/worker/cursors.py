"""Cursors that count the rows which the driver hands over into a tally.

They are counted at the driver's level, so raw SQL and server-side cursors count too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pytest_membudget.worker import statements
from pytest_membudget.worker.tally import Statement, Tally


def count_on(connection: Any, tally: Tally) -> None:
    """Have the cursors of a Django connection counted."""
    if connection.vendor == "sqlite":
        from django.db.backends.sqlite3.base import SQLiteCursorWrapper

        cursor = counting(SQLiteCursorWrapper, tally)
        connection.create_cursor = lambda name=None: connection.connection.cursor(factory=cursor)
        return
    from django.db.backends.postgresql import base

    holders = [(connection.connection, "cursor_factory")]
    holders += [(connection.connection, "server_cursor_factory"), (base, "ServerSideCursor")]
    for holder, name in holders:
        cursor_class = getattr(holder, name, None)
        if cursor_class is not None and not hasattr(cursor_class, "_counted_as"):
            setattr(holder, name, counting(cursor_class, tally))


def counting(base: type[Any], tally: Tally) -> type[Any]:
    """A subclass of a driver's cursor class that counts into the tally."""

    def counted(self: Any, rows: int) -> None:
        statement = self._counted_as
        tally.add(statement.table, rows, written=statement.written)
        statement.count(rows)

    class CountingCursor(base):  # type: ignore[misc]
        _counted_as = Statement("", False)

        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], list | tuple | dict):
                tally.most_parameters = max(tally.most_parameters, len(args[0]))
            given = args[0] if args and isinstance(args[0], list | tuple) else ()
            return _execute(self, super().execute, given, query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            return _execute(self, super().executemany, (), query, *args, **kwargs)

        def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
            tally.statement(statements.head(statement))
            return super().copy(statement, *args, **kwargs)

        def stream(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            self._counted_as = tally.statement(statements.head(query))
            counted(self, 0)
            for row in super().stream(query, *args, **kwargs):
                counted(self, 1)
                yield row

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
        self._counted_as.looked = True
        row = base.__next__(self)
        counted(self, 1)
        return row

    def __iter__(self: Any) -> Iterator[Any]:
        counted(self, 0)
        for row in base.__iter__(self):
            counted(self, 1)
            yield row

    def _execute(
        cursor: Any,
        execute: Callable[..., Any],
        given: Sequence[Any],
        query: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        tally.phases.note(query)
        text = statements.head(query)
        statement = cursor._counted_as = tally.statement(text, given)
        result = execute(query, *args, **kwargs)
        if statement.written and cursor.description is None:
            counted(cursor, cursor.rowcount)
        elif cursor.description is not None and cursor.rowcount >= 0:
            # libpq has the whole result, whether it will be fetched or not.
            statement.count(cursor.rowcount)
        return result

    if hasattr(base, "__next__"):
        CountingCursor.__next__ = __next__
    else:
        CountingCursor.__iter__ = __iter__
    CountingCursor.__name__ = base.__name__
    return CountingCursor
