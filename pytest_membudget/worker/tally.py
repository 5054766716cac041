"""Count the rows that a migration reads and writes, by table, where the driver hands them over.

The cursors are counted at the driver's level, so raw SQL and server-side cursors count too.
Forked children append to a file that the pytest process adds up, since a pool may kill them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_membudget.worker import statements
from pytest_membudget.worker.high_water import Phases

_MOST_KNOWN = 1000
_SHOWN = 300
_VALUES = 8
# Of more it finds about as many rows, and they came from somewhere.
_FEW_PARAMETERS = 20


@dataclass(slots=True)
class Statement:
    """What is known of a statement: ``times`` counts how often it was sent, ``rows`` its rows.

    ``looked`` says that somebody, or the driver, has looked how many there are.
    ``ending`` is the shape, from FROM on, of one that may load any number of a seeded table's rows.
    """

    table: str
    written: bool
    ending: str = ""
    times: int = 0
    rows: int = 0
    looked: bool = False


class Tally:
    """Rows by table.  A statement is credited to the first of the seeded ones that it names.

    ``tables`` are these, each with the columns of which a value finds a single row;
    ``phases`` is told of each statement before it is sent; ``most_parameters`` counts those of
    the statement that had the most.  ``went_to`` holds every table but those that rows are only
    inserted into, with the columns by which statements choose any number of its rows; ``filters``
    the columns of seeded tables that statements filter by, with the values that they ask for.
    """

    def __init__(self, tables: dict[str, list[str]], overflow: str, phases: Phases) -> None:
        self.tables = tables
        self.phases = phases
        self.read: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.filters: dict[str, dict[str, list[Any]]] = {}
        self.went_to: dict[str, set[tuple[str, ...]]] = {}
        self.most_parameters = 0
        self._known: dict[int, Statement] = {}
        self._overflow = overflow
        self._owner = os.getpid()

    def statement(self, text: str, parameters: Sequence[Any] = ()) -> Statement:
        """What is known of one that is about to be sent."""
        key = hash(text)
        known = self._known.get(key)
        if known is None:
            known = self._read(text, parameters)
            if len(self._known) < _MOST_KNOWN:
                self._known[key] = known
        known.times += 1
        return known

    def _read(self, text: str, parameters: Sequence[Any]) -> Statement:
        ways = statements.destinations(text)
        for going, columns in ways.items():
            if os.getpid() == self._owner:
                self.went_to.setdefault(going, set()).add(columns)
            else:
                self._tell_parent(f"went 0 {json.dumps([going, columns])}")
        named = statements.tables(text)
        table = next((table for table in named if table in self.tables), "")
        if not table:
            first = named[0] if named else ""
            table = "" if first.startswith(statements.BOOKKEEPING) else first
            return Statement(table, statements.writes(text))
        if table.startswith(statements.BOOKKEEPING):
            return Statement(table, statements.writes(text))
        filters = statements.filters(text, table, parameters)
        known = self.filters.setdefault(table, {}) if filters is not None else {}
        for column, asked in (filters or {}).items():
            values = known.setdefault(column, [])
            values += [value for value in asked if value not in values][: _VALUES - len(values)]
        bounded = (
            not statements.loads(text)
            or len(parameters) > _FEW_PARAMETERS
            or any(f"{column}=" in ways.get(table, ()) for column in self.tables[table])
        )
        ending = "" if bounded else statements.shape(statements.after_columns(text)[:_SHOWN])
        return Statement(table, statements.writes(text), ending)

    def unmatched(self) -> dict[str, int]:
        """The statements that found none of the rows each time, and how often they were sent."""
        times, rows = Counter[str](), Counter[str]()
        for one in self._known.values():
            if not one.looked:
                continue
            times[one.ending] += one.times
            rows[one.ending] += one.rows
        return {ending: times[ending] for ending in times if ending and not rows[ending]}

    def begin(self) -> None:
        """Forget what was sent before the migration."""
        self.read.clear()
        self.written.clear()
        self.filters.clear()
        self.went_to.clear()
        self._known.clear()
        self.most_parameters = 0

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
        statement = self._counted_as
        tally.add(statement.table, rows, written=statement.written)
        statement.rows, statement.looked = statement.rows + rows, True

    class CountingCursor(base):  # type: ignore[misc]
        _counted_as = Statement("", False)

        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], list | tuple | dict):
                tally.most_parameters = max(tally.most_parameters, len(args[0]))
            return _execute(self, super().execute, query, *args, **kwargs)

        def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            return _execute(self, super().executemany, query, *args, **kwargs)

        def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
            tally.statement(statements.head(statement))
            return super().copy(statement, *args, **kwargs)

        def stream(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            self._counted_as = tally.statement(statements.head(query))
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
        cursor: Any, execute: Callable[..., Any], query: Any, *args: Any, **kwargs: Any
    ) -> Any:
        tally.phases.note(query)
        text = statements.head(query)
        given = args[0] if args and isinstance(args[0], list | tuple) else ()
        statement = cursor._counted_as = tally.statement(text, given)
        result = execute(query, *args, **kwargs)
        if statement.written and cursor.description is None:
            counted(cursor, cursor.rowcount)
        elif cursor.rowcount >= 0:
            # libpq has the whole result, whether it will be fetched or not.
            statement.rows, statement.looked = statement.rows + cursor.rowcount, True
        return result

    if hasattr(base, "__next__"):
        CountingCursor.__next__ = __next__
    else:
        CountingCursor.__iter__ = __iter__
    CountingCursor.__name__ = base.__name__
    return CountingCursor
