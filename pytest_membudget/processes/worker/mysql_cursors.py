"""Cursors of the MySQL drivers that log their statements, whichever class the code asks for.

A cursor holds its whole result and knows its number of rows, unless it is one of the classes that
read from the server row by row.
"""

from __future__ import annotations

from typing import Any

from pytest_membudget.processes.worker.logging_cursors import Logging
from pytest_membudget.processes.worker.statement_log import StatementLog

# The bases of the classes that don't hold their rows, of PyMySQL and of mysqlclient.
_UNBUFFERED = {"SSCursor", "CursorUseResultMixIn"}


def log_cursors(session: Any, shared: dict[str, Any]) -> None:
    """Log the cursors of a driver's connection, and note statements that are sent without one."""
    plain, query = session.cursor, session.query
    log: StatementLog = shared["_log"]
    sending = _Sending()
    shared = {**shared, "_sending": sending}
    classes: dict[type[Any], type[Any]] = {}

    def logging(kind: type[Any]) -> type[Any]:
        if kind not in classes:
            unbuffered = any(base.__name__ in _UNBUFFERED for base in kind.__mro__)
            mixin = _Unbuffered if unbuffered else _Buffered
            classes[kind] = type(kind.__name__, (mixin, kind), shared)
        return classes[kind]

    def cursor(kind: type[Any] | None = None) -> Any:
        return plain(logging(kind or session.cursorclass))

    def queried(sql: Any, *args: Any, **kwargs: Any) -> Any:
        # Its rows are not counted, as if the connection were not Django's.
        log.longest_statement = max(log.longest_statement, len(sql))
        if not sending.depth:
            log.note_connection(by_django=False)
        return query(sql, *args, **kwargs)

    session.cursor, session.query = cursor, queried


class _Sending:
    """Whether the cursors of a connection are at work: methods of a driver call each other."""

    depth = 0


class _Buffered(Logging):
    """A cursor that holds its whole result."""

    _sending: _Sending

    def execute(self, query: Any, args: Any = None) -> Any:
        if self._sending.depth:
            return self._sent("execute", query, args)
        self._note(query, args)
        result = self._sent("execute", query, args)
        self._count()
        return result

    def executemany(self, query: Any, args: Any) -> Any:
        self._note(query)
        result = self._sent("executemany", query, args)
        self._count()
        return result

    def callproc(self, name: str, args: Any = ()) -> Any:
        self._note(f"CALL {name}()")
        result = self._sent("callproc", name, args)
        self._count()
        return result

    def nextset(self) -> Any:
        result = self._sent("nextset")
        if result and not self._sending.depth:
            self._count()
        return result

    def _sent(self, method: str, *args: Any) -> Any:
        self._sending.depth += 1
        try:
            return getattr(super(Logging, self), method)(*args)
        finally:
            self._sending.depth -= 1


class _Unbuffered(_Buffered):
    """All rows pass one method of the driver: ``read_next()`` of PyMySQL's, ``_fetch_row()``."""

    def read_next(self) -> Any:
        row = super().read_next()  # type: ignore[misc]
        self._log.fetched(self._entry, 0 if row is None else 1)
        return row

    def _fetch_row(self, size: int = 1) -> Any:
        rows = super()._fetch_row(size)  # type: ignore[misc]
        self._log.fetched(self._entry, len(rows))
        return rows

    def fetchmany(self, size: int | None = None) -> Any:
        self._log.fetched(self._entry, 0, size or self.arraysize)  # type: ignore[attr-defined]
        return super().fetchmany(size)  # type: ignore[misc]

    def _count(self) -> None:
        if self.description is None:  # type: ignore[attr-defined]
            super()._count()
