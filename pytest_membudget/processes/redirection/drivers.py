"""Connections that a migration makes with a driver of its own, past Django.

sqlite3 raises an audit event before it opens a file; psycopg's connections are asked which database
they lead to as soon as they are there; mysql.py has the drivers of MariaDB.  Those of other
databases have no scratch database.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from pytest_membudget.database.engine import POSTGRESQL, Engine
from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection import embedded, mysql
from pytest_membudget.processes.redirection.events import on_event
from pytest_membudget.processes.redirection.imports import after_import

# PostgreSQL compiles the CASE of a large bulk_update for minutes, and can't be interrupted in it:
# each DROP DATABASE on the server waits for that.  The memory of the client is the same without.
_NO_JIT = "SET jit = off"
_OTHERS = (
    "aiomysql", "asyncmy", "asyncpg", "cx_Oracle", "mariadb", "mysql.connector",
    "oracledb", "pymssql", "pyodbc",
)  # fmt: skip


def install(target: Target) -> None:
    def check_file(args: tuple[Any, ...]) -> None:
        target.used = True
        _check_file(args[0], target)

    on_event("sqlite3.connect", check_file)
    for event in ("tempfile.mkdtemp", "tempfile.mkstemp"):
        on_event(event, lambda args: made.append(os.path.realpath(args[0])))
    after_import("sqlite3.dbapi2", lambda module: _watch_sqlite(module, target))
    after_import("sqlite3", lambda module: _watch_sqlite(module, target))
    after_import("psycopg", lambda module: _watch_psycopg(module, target))
    after_import("psycopg2", lambda module: _watch_psycopg2(module, target))
    mysql.install(target)
    for name in _OTHERS:
        after_import(name, functools.partial(_close, target=target))


def _check_file(database: Any, target: Target) -> None:
    """Raise RefusedDatabase for a SQLite file outside of the run's folder, unless it is read only.

    See "URI Filenames" in SQLite's documentation.
    """
    path = os.fsdecode(database)
    if path.startswith("file:"):
        path, _, query = path.removeprefix("file:").partition("?")
        options = query.partition("#")[0].split("&")
        if {"mode=ro", "mode=memory", "immutable=1"}.intersection(options):
            return
        path = unquote(path)
        path = "/" + path.split("/", 3)[-1] if path.startswith("//") else path
    if path not in ("", ":memory:") and not (target.holds(path) or _is_temporary(path)):
        target.refuse(f"the SQLite file {path}")


made: list[str] = []
"""The temporary files and folders of this process."""


def _is_temporary(path: str) -> bool:
    real = os.path.realpath(path)
    return any(real == one or real.startswith(one + os.sep) for one in made)


def _watch_sqlite(sqlite3: Any, target: Target) -> None:
    """Refuse ``ATTACH``, and ``VACUUM INTO``, outside of the run's folder."""
    connect = sqlite3.connect
    if hasattr(connect, "__wrapped__"):
        return
    attach, deny = sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DENY

    def authorize(action: int, name: str | None, *_: object) -> int:
        if action == attach and name:
            try:
                _check_file(name, target)
            except RuntimeError:
                return int(deny)
        return 0

    @functools.wraps(connect)
    def checked(*args: Any, **kwargs: Any) -> Any:
        connection = connect(*args, **kwargs)
        connection.set_authorizer(authorize)
        return connection

    sqlite3.connect = checked


def _watch_psycopg(psycopg: Any, target: Target) -> None:
    connect = psycopg.Connection.connect.__func__
    connect_async = psycopg.AsyncConnection.connect.__func__

    def named(conninfo: str = "", *_: Any, **parameters: Any) -> dict[str, Any]:
        return {**psycopg.conninfo.conninfo_to_dict(conninfo), **parameters}

    def checked(cls: Any, *args: Any, **kwargs: Any) -> Any:
        with _attempt(lambda: named(*args, **kwargs), target):
            connection = connect(cls, *args, **kwargs)
        return _checked(connection, target)

    async def checked_async(cls: Any, *args: Any, **kwargs: Any) -> Any:
        with _attempt(lambda: named(*args, **kwargs), target):
            connection = await connect_async(cls, *args, **kwargs)
        return _checked(connection, target)

    psycopg.Connection.connect = classmethod(checked)
    psycopg.AsyncConnection.connect = classmethod(checked_async)
    psycopg.connect = psycopg.Connection.connect


@contextmanager
def _attempt(parameters: Callable[[], Mapping[str, Any]], target: Target) -> Iterator[None]:
    """Refuse a connection to another server than the run's own before it is made.

    One that fails is refused as well where its database is none of the run: it may be there in
    production, and a migration may catch the error.
    """
    target.used = True
    if target.embedded and (
        server := embedded.elsewhere(parameters(), os.environ, target.embedded)
    ):
        target.refuse(f"a connection to the PostgreSQL server {server!r}")
    try:
        yield
    except Exception:
        its = parameters()
        name = its.get("dbname") or its.get("database") or os.environ.get("PGDATABASE")
        if not target.may_own(name := str(name or its.get("user") or "")):
            target.refuse(f"the PostgreSQL database {name!r}")
        raise


def _checked(connection: Any, target: Target) -> Any:
    """The psycopg connection, if its database is one of this run.

    The query is sent with libpq, since a cursor of psycopg would begin a transaction.
    """
    result = connection.pgconn.exec_(POSTGRESQL.identity.encode())
    values = [result.get_value(0, column) for column in range(2)] if result.ntuples else [b"", None]
    name, mark = (None if value is None else bytes(value).decode() for value in values)
    if not target.owns(name or "", mark):
        connection.pgconn.finish()
        target.refuse(f"the PostgreSQL database {name!r}")
    connection.pgconn.exec_(_NO_JIT.encode())
    return connection


def identity_of(connection: Any, engine: Engine = POSTGRESQL) -> tuple[str, str | None]:
    """The name and the mark of the database that a driver's connection leads to."""
    with connection.cursor() as cursor:
        cursor.execute(engine.identity)
        name, mark = cursor.fetchone()
    if not connection.autocommit:
        connection.rollback()
    return name, mark


def _watch_psycopg2(psycopg2: Any, target: Target) -> None:
    connect = psycopg2.connect

    @functools.wraps(connect)
    def checked(dsn: str | None = None, *args: Any, **kwargs: Any) -> Any:
        def named() -> dict[str, Any]:
            return {**psycopg2.extensions.parse_dsn(dsn or ""), **kwargs}

        with _attempt(named, target):
            connection = connect(dsn, *args, **kwargs)
        name, mark = identity_of(connection)
        if not target.owns(name, mark):
            connection.close()
            target.refuse(f"the PostgreSQL database {name!r}")
        with connection.cursor() as cursor:
            cursor.execute(_NO_JIT)
        if not connection.autocommit:
            connection.commit()
        return connection

    psycopg2.connect = checked


def _close(driver: Any, target: Target) -> None:
    def connect(*_: object, **__: object) -> None:
        target.refuse(f"a connection of {driver.__name__}")

    for name in ("connect", "Connect", "Connection"):
        if hasattr(driver, name):
            setattr(driver, name, connect)
