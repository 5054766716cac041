"""The parts of cursors that log their statements and how many rows they fetch or change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat, starmap
from typing import Any

from pytest_membudget.database.engine import engine_of
from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.processes.worker.high_water import Phases
from pytest_membudget.processes.worker.kept import Kept
from pytest_membudget.processes.worker.statement_log import StatementLog


class Logging:
    """Log what is executed, with the rows that the driver has or has changed by then."""

    _log: StatementLog
    _phases: Phases
    _kept: Kept
    _vendor: str
    _entry: StatementCount

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._note(query, args[0] if args else kwargs.get("params"))
        result = super().execute(query, *args, **kwargs)  # type: ignore[misc]
        self._count()
        return result

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._note(query)
        result = super().executemany(query, *args, **kwargs)  # type: ignore[misc]
        self._count()
        return result

    def nextset(self) -> Any:
        result = super().nextset()  # type: ignore[misc]
        if result:
            self._count()
        return result

    @contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """psycopg's, whose cursor knows how many rows there were when the copy has ended."""
        self._note(statement, args[0] if args else kwargs.get("params"))
        entry = self._entry
        try:
            with super().copy(statement, *args, **kwargs) as copy:  # type: ignore[misc]
                yield copy
        finally:
            self._log.fetched(entry, max(0, self.rowcount))  # type: ignore[attr-defined]

    def copy_expert(self, sql: Any, *args: Any, **kwargs: Any) -> Any:
        """psycopg2's, which has copied all of it when it returns."""
        self._note(sql)
        result = super().copy_expert(sql, *args, **kwargs)  # type: ignore[misc]
        self._log.fetched(self._entry, max(0, self.rowcount))  # type: ignore[attr-defined]
        return result

    def executescript(self, script: Any) -> Any:
        self._note(script)
        return super().executescript(script)  # type: ignore[misc]

    def stream(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._note(query, args[0] if args else kwargs.get("params"))
        rows = super().stream(query, *args, **kwargs)  # type: ignore[misc]
        return _counting(rows, self._log, self._entry)

    def _note(self, query: Any, parameters: Any = ()) -> None:
        self._phases.note(query)
        self._kept.note()
        self._entry = self._log.sent(query, parameters, self._vendor)

    def _count(self) -> None:
        rows = self.rowcount  # type: ignore[attr-defined]
        if rows < 0:
            return
        if self.description is None:  # type: ignore[attr-defined]
            self._log.affected(self._entry, rows)
        elif engine_of(self._vendor).client_holds_results:
            self._log.fetched(self._entry, rows)
            # They are counted; psycopg2's cursors are of one class, whether they hold all or not.
            self._entry = self._log.nothing


class Fetching(Logging):
    """Count the rows of a cursor that does not hold all of them as they are fetched."""

    def fetchone(self) -> Any:
        row = super().fetchone()  # type: ignore[misc]
        self._log.fetched(self._entry, 0 if row is None else 1)
        return row

    def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
        rows = super().fetchmany(*args, **kwargs)  # type: ignore[misc]
        size = args[0] if args else kwargs.get("size")
        self._log.fetched(self._entry, len(rows), size or self.arraysize)  # type: ignore[attr-defined]
        return rows

    def fetchall(self) -> Any:
        rows = super().fetchall()  # type: ignore[misc]
        self._log.fetched(self._entry, len(rows))
        return rows

    def __next__(self) -> Any:
        row = super().__next__()  # type: ignore[misc]
        self._log.fetched(self._entry, 1)
        return row

    def __iter__(self) -> Iterator[Any]:
        # Called by C until it raises StopIteration: this one's own __next__ would take longer.
        rows = starmap(super().__next__, repeat(()))  # type: ignore[misc]
        return _counting(rows, self._log, self._entry)


def _counting(rows: Iterator[Any], log: StatementLog, entry: StatementCount) -> Iterator[Any]:
    count = 0
    try:
        for row in rows:
            count += 1
            yield row
    finally:
        log.fetched(entry, count)
