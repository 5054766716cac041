"""Cursors that log their statements and how many rows they fetch or change.

They are subclasses of the driver's own, so raw SQL and server-side cursors are logged too.
"""

from __future__ import annotations

import os
from typing import Any

from pytest_membudget.database.engine import MARIADB, POSTGRESQL, SQLITE
from pytest_membudget.processes.redirection import mysql
from pytest_membudget.processes.redirection.events import on_event
from pytest_membudget.processes.redirection.imports import after_import
from pytest_membudget.processes.worker.high_water import Phases
from pytest_membudget.processes.worker.kept import Kept
from pytest_membudget.processes.worker.logging_cursors import Fetching, Logging
from pytest_membudget.processes.worker.statement_log import StatementLog


def log_connections(log: StatementLog, phases: Phases, kept: Kept, name: str | None) -> None:
    """Log each connection that Django opens from now on; ``name`` is the database's."""

    def watch(connection: Any, **_: Any) -> None:
        log.note_connection(by_django=True)
        its = {**shared, "_vendor": connection.vendor}
        if connection.vendor == POSTGRESQL.vendor:
            _log_postgresql(connection, its)
        elif connection.vendor == MARIADB.vendor:
            from pytest_membudget.processes.worker.mysql_cursors import log_cursors

            log_cursors(connection.connection, its)

    def note_opened(arguments: tuple[Any, ...]) -> None:
        if os.path.realpath(arguments[0]) == own:
            log.note_connection(by_django=False)

    shared = {"_log": log, "_phases": phases, "_kept": kept, "_entry": log.nothing}
    after_import(
        "django.db.backends.signals",
        lambda made: made.connection_created.connect(watch, weak=False),
    )
    after_import(
        "django.db.backends.sqlite3.base",
        lambda base: _log_sqlite(base, {**shared, "_vendor": SQLITE.vendor}),
    )
    own = os.path.realpath(name or "")
    on_event("sqlite3.connect", note_opened)
    on_event(mysql.OPENED, lambda _: log.note_connection(by_django=False))


def _log_sqlite(base: Any, shared: dict[str, Any]) -> None:
    """Log the cursors of SQLite connections, also those that Django does not wrap."""
    from sqlite3 import Connection, Cursor

    raw = type("Cursor", (Fetching, Cursor), shared)
    wrapper = base.SQLiteCursorWrapper
    base.SQLiteCursorWrapper = type(wrapper.__name__, (Fetching, wrapper), shared)

    class LoggedConnection(Connection):
        def cursor(self, factory: Any = raw) -> Any:
            return super().cursor(factory)

        # sqlite3's own make a cursor without asking for it.
        def execute(self, *args: Any) -> Any:
            return self.cursor().execute(*args)

        def executemany(self, *args: Any) -> Any:
            return self.cursor().executemany(*args)

        def executescript(self, script: str) -> Any:
            return self.cursor().executescript(script)

    plain = base.DatabaseWrapper.get_connection_params

    def get_connection_params(self: Any) -> dict[str, Any]:
        return {"factory": LoggedConnection, **plain(self)}

    base.DatabaseWrapper.get_connection_params = get_connection_params


def _log_postgresql(connection: Any, shared: dict[str, Any]) -> None:
    from django.db.backends.postgresql import base

    holders = [(connection.connection, "cursor_factory")]
    holders += [(connection.connection, "server_cursor_factory"), (base, "ServerSideCursor")]
    for holder, name in holders:
        plain = getattr(holder, name, None)
        if plain is not None and not issubclass(plain, Logging):
            # A cursor that can't be scrolled holds its whole result and knows its number of rows.
            mixin = Fetching if hasattr(plain, "scrollable") else Logging
            setattr(holder, name, type(plain.__name__, (mixin, plain), shared))
