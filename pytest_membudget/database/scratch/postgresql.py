"""PostgreSQL: ``CREATE DATABASE … TEMPLATE``, with a mark of the run in each database."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.engine import MARK_SCHEMA, POSTGRESQL
from pytest_membudget.database.free_space import free_bytes
from pytest_membudget.database.scratch.activity import Activity, activity, sessions
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.database.scratch.dump import dump, find_pg_dump, is_whole
from pytest_membudget.database.scratch.errors import cure_of, is_in_use, with_cure
from pytest_membudget.database.scratch.lease import PREFIX, Lease, dead_runs
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError

_MAINTENANCE = ("postgres", "template1")


class PostgreSQLScratch(ScratchDatabases):
    """The databases of one run on one server.

    A database is the run's own when it has the run's mark, the comment of a schema, which clones
    inherit.  The first database also holds the run's lease, see lease.py.
    """

    def __init__(self, connection: Any, folder: Path, target: Target) -> None:
        super().__init__(connection, folder, target)
        target.mark = PREFIX + secrets.token_hex(6)
        self._suffix = connection.creation.sql_table_creation_suffix()
        self._admin = _maintenance_connection(connection, target)
        self._lease = Lease(target.mark, folder, self._admin_cursor)

    def create(self) -> str:
        name = super().create()
        with self._unmarked(name) as cursor:
            cursor.execute(f"CREATE SCHEMA {MARK_SCHEMA}")
            cursor.execute(f"COMMENT ON SCHEMA {MARK_SCHEMA} IS '{self.target.mark}'")
        self._lease.take(name)
        return name

    def leftovers(self) -> list[str]:
        with self._admin_cursor() as cursor:
            dead = dead_runs(cursor)
        found = []
        for run, names in dead.items():
            for name in names:
                with contextlib.suppress(Error, ServerError):
                    if self._mark_of(name) == run:
                        found.append(name)
        return found

    def activity(self, name: str) -> Activity | None:
        with self._admin_cursor() as cursor:
            had = sessions(cursor, name)
        if had is None:
            return None
        with self.using(name):
            return activity(self.connection, had)

    def size(self, name: str) -> int:
        with self._admin_cursor() as cursor:
            cursor.execute("SELECT pg_database_size(%s)", [name])
            return int(cursor.fetchone()[0])

    def free(self) -> int | None:
        """Known only of a server on this machine that tells the folder of its files."""
        try:
            with self._admin_cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), current_setting('data_directory')")
                pid, folder = cursor.fetchone()
            if Path("/proc", str(pid), "comm").read_text().startswith("postgres"):
                return free_bytes(Path(folder))
        except (Error, OSError):  # another machine, or a role that may not read settings
            pass
        return None

    @property
    def can_be_kept(self) -> bool:
        """On the embedded server: on another one the program of its version may not be there."""
        return bool(self.target.embedded) and self._pg_dump.exists()

    def content(self, name: str) -> bytes | None:
        self._own(name)
        with self._admin_cursor() as cursor:
            whole = is_whole(cursor)
        return dump(self._pg_dump, name, self.target.embedded) if whole else None

    def restore(self, content: bytes) -> str | None:
        name = self.create()
        try:
            with self._unmarked(name) as cursor:
                cursor.execute(content.decode())
        except Error:
            self.drop(name)
            return None
        return name

    @cached_property
    def _pg_dump(self) -> Path:
        with self._admin_cursor() as cursor:
            return find_pg_dump(cursor)

    def close(self) -> None:
        self._lease.stop()
        super().close()
        self._admin.close()

    def _name(self, number: int) -> str:
        return f"{self.target.mark}_{number}"

    def _create(self, name: str) -> None:
        create = f'CREATE DATABASE "{name}" {self._suffix}'
        try:
            self._make(create)
        except ServerError as error:
            if "TEMPLATE" in self._suffix or not is_in_use(error.__cause__):
                raise
            # A database with sessions can't be copied; template0 never has any.
            self._make(f"{create} TEMPLATE template0")

    def _clone(self, source: str, name: str) -> None:
        self.release()
        strategy = " STRATEGY file_copy" if self._admin.pg_version >= 150_000 else ""
        self._make(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{strategy}')

    def _drop(self, name: str) -> None:
        self._roll_back_prepared(name)
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _roll_back_prepared(self, name: str) -> None:
        """End the transactions that PREPARE TRANSACTION has left: no database with one is dropped.

        It takes a session in that database.
        """
        with self._admin_cursor() as cursor:
            cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE database = %s", [name])
            prepared = [gid for (gid,) in cursor.fetchall()]
        if not prepared:
            return
        with self._unmarked(name) as cursor:
            for gid in prepared:  # a statement that takes no parameters
                cursor.execute("ROLLBACK PREPARED '{}'".format(gid.replace("'", "''")))

    def _mark_of(self, name: str) -> str | None:
        with self._unmarked(name) as cursor:
            cursor.execute(POSTGRESQL.identity)
            _, mark = cursor.fetchone()
        return None if mark is None else str(mark)

    @contextlib.contextmanager
    def _unmarked(self, name: str) -> Iterator[Any]:
        """A cursor of a session in a database that may not have the run's mark."""
        with self.target.allow_unmarked(name):
            session = _connection_to(self.connection, name)
            with contextlib.closing(session), session.cursor() as cursor:
                yield cursor

    def _make(self, sql: str) -> None:
        with with_cure(self._admin):
            self._execute(sql)

    def _execute(self, sql: str) -> None:
        with self._admin_cursor() as cursor:
            cursor.execute(sql)

    @contextlib.contextmanager
    def _admin_cursor(self) -> Any:
        """A cursor of the session that administers, which is opened anew where it was ended."""
        with (
            self._lease.one_at_a_time,
            self.target.allow_unmarked(self._admin.settings_dict["NAME"]),
        ):
            if not self._admin.is_usable():
                self._admin.close()
                _open(self._admin, self.target.mark)
            with self._admin.cursor() as cursor:
                yield cursor


def _maintenance_connection(connection: Any, target: Target) -> Any:
    """A second connection to the same server, to a database that nothing is written to."""
    problems, cure = [], None
    for name in (*_MAINTENANCE, connection.settings_dict["NAME"]):
        candidate = _connection_to(connection, name)
        try:
            with target.allow_unmarked(name):
                _open(candidate, target.mark)
        except Error as error:
            problems.append(str(error).strip())
            cure = cure_of(error)
        else:
            return candidate
    text = "; ".join(filter(None, [f"no connection to the PostgreSQL server: {problems[0]}", cure]))
    raise ServerError(text, "\n".join(problems))


def _connection_to(connection: Any, name: str) -> Any:
    return type(connection)({**connection.settings_dict, "NAME": name}, connection.alias)


def _open(admin: Any, run: str) -> None:
    """Begin the session that shows that the run is alive."""
    admin.ensure_connection()
    admin.inc_thread_sharing()
    with admin.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [run])
        if admin.pg_version >= 140_000:
            cursor.execute("SET idle_session_timeout = 0")
