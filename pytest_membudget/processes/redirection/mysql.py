"""Sessions of MariaDB servers: only those of the run's own user, who has no right to anything else.

A session may reach every database that its user may, by ``USE`` or by a name with the database in
it, and an ``init_command`` is carried out as it is opened.  So the user is checked before and the
server is asked for it afterwards; what the session may do, the server decides.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from pytest_membudget.database.engine import MARIADB
from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection.imports import after_import

# See "MariaDB Error Codes": access denied to a database, table, column, routine, or to all of it.
_DENIED = {1044, 1045, 1142, 1143, 1227, 1370, 1410, 1419, 1698}
# The methods of a connection that ask the server for something.
_ASKING = ("query", "next_result", "select_db")
OPENED = "membudget.mysql.opened"
"""The audit event of each session that is opened, with the name of its database."""


def install(target: Target) -> None:
    after_import("pymysql", lambda module: _watch_pymysql(module.connections, target))
    after_import("MySQLdb", lambda module: _watch_mysqlclient(module, target))


def _watch_pymysql(connections: Any, target: Target) -> None:
    connect = connections.Connection.connect

    @functools.wraps(connect)
    def checked(self: Any, sock: Any = None) -> None:
        _check_user(self.user, target)
        with _denials_noted(target):
            connect(self, sock)
        _check_session(self, target)

    connections.Connection.connect = checked
    _watch_denials(connections.Connection, target)


def _watch_mysqlclient(driver: Any, target: Target) -> None:
    if not hasattr(driver, "_mysql"):  # another driver in its place
        return
    # The module refers to it by name, and it connects as it is made.
    connections: Any = import_module("MySQLdb.connections")
    plain, raw = connections.Connection, driver._mysql.connection

    class Connection(plain):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            _check_user(args[1] if len(args) > 1 else kwargs.get("user"), target)
            with _denials_noted(target):
                super().__init__(*args, **kwargs)
            _check_session(self, target)

        def change_user(self, user: Any, *args: Any, **kwargs: Any) -> Any:
            _check_user(user, target)
            return super().change_user(user, *args, **kwargs)

    class Refused(raw):  # type: ignore[misc, valid-type]
        """It still has the methods that the driver calls on those of the class above."""

        def __init__(self, *_: object, **__: object) -> None:
            target.refuse("a connection of MySQLdb._mysql")

    _watch_denials(Connection, target)
    connections.Connection = Connection
    driver._mysql.connection = driver._mysql.connect = Refused


def _watch_denials(kind: Any, target: Target) -> None:
    for name in _ASKING:
        asks = getattr(kind, name)

        @functools.wraps(asks)
        def asking(*args: Any, asks: Any = asks, **kwargs: Any) -> Any:
            with _denials_noted(target):
                return asks(*args, **kwargs)

        setattr(kind, name, asking)


@contextmanager
def _denials_noted(target: Target) -> Iterator[None]:
    """Record what the server denies the run's user: a migration may catch the error."""
    try:
        yield
    except Exception as error:
        if target.password and len(error.args) > 1 and error.args[0] in _DENIED:
            target.note_refusal(f"what a user of MariaDB has no right to ({error.args[1]})")
        raise


def _check_user(user: Any, target: Target) -> None:
    """Refuse a session of another user before anything is sent to the server."""
    target.used = True
    name = user.decode(errors="replace") if isinstance(user, bytes) else str(user or "")
    if not target.may_be(name):
        target.refuse(f"a connection to MySQL or MariaDB as the user {name!r}")


def _check_session(session: Any, target: Target) -> None:
    """Refuse it if the server has taken it for one of another user."""
    name, user = session_of(session)
    if not target.owns(name, user):
        session.close()
        target.refuse(f"a connection to MySQL or MariaDB as the user {user!r}")
    sys.audit(OPENED, name)


def session_of(session: Any) -> tuple[str, str]:
    """The database and the user of a driver's connection."""
    cursor = session.cursor()
    try:
        cursor.execute(MARIADB.identity)
        ((name, user),) = cursor.fetchall()
    finally:
        cursor.close()
    return name or "", user
