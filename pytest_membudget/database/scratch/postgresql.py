"""PostgreSQL: ``CREATE DATABASE … TEMPLATE``, with a mark of the run in each database."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.engine import MARK_SCHEMA, POSTGRESQL
from pytest_membudget.database.free_space import free_bytes
from pytest_membudget.database.scratch.activity import Activity, activity, sessions
from pytest_membudget.database.scratch.administration import Administration, connection_to
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.database.scratch.drops import Drops
from pytest_membudget.database.scratch.dump import dump
from pytest_membudget.database.scratch.errors import is_in_use, with_cure
from pytest_membudget.database.scratch.lease import POSTGRESQL as LEASES
from pytest_membudget.database.scratch.lease import PREFIX, Lease, dead_runs
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError

# The files of a larger template are copied, which takes two checkpoints; the pages of a smaller one
# go through the log.  Seconds of `python benchmarks/cloning.py`, PostgreSQL 15 on a busy disk:
#                          8 MB   64   128   256   512  1024
#   fsync=on   wal_log     0.34  0.56  0.80  1.94  4.74  5.26
#              file_copy   2.39  2.35  2.64  3.38  4.53  3.28
#   fsync=off  wal_log     0.12  0.17  0.46  0.72  1.25  2.32
#              file_copy   0.13  0.11  0.36  0.49  0.56  0.54
_FILES_ABOVE = 256 * 1024**2


class PostgreSQLScratch(ScratchDatabases):
    """The databases of one run on one server.

    A database is the run's own when it has the run's mark, the comment of a schema, which clones
    inherit.  The first database also holds the run's lease, see lease.py.
    """

    def __init__(self, connection: Any, folder: Path, target: Target) -> None:
        super().__init__(connection, folder, target)
        target.mark = PREFIX + secrets.token_hex(6)
        self._suffix = connection.creation.sql_table_creation_suffix()
        self._admin = Administration(connection, target)
        self._drops = Drops(self._admin.others, self._drop_with)
        self._lease = Lease(target.mark, folder, self._admin.cursor, LEASES)

    def create(self) -> str:
        name = super().create()
        with self._unmarked(name) as cursor:
            cursor.execute(f"CREATE SCHEMA {MARK_SCHEMA}")
            cursor.execute(f"COMMENT ON SCHEMA {MARK_SCHEMA} IS '{self.target.mark}'")
        self._lease.take(name)
        return name

    def leftovers(self) -> list[str]:
        with self._admin.cursor() as cursor:
            dead = dead_runs(cursor, LEASES)
        found = []
        for run, names in dead.items():
            for name in names:
                with contextlib.suppress(Error, ServerError):
                    if self._mark_of(name) == run:
                        found.append(name)
        return found

    def activity(self, name: str) -> Activity | None:
        with self._admin.cursor() as cursor:
            had = sessions(cursor, name)
        if had is None:
            return None
        with self.using(name):
            return activity(self.connection, had)

    def waits_for_disk(self) -> bool:
        with self._admin.cursor() as cursor:
            cursor.execute("SELECT current_setting('fsync')")
            return bool(cursor.fetchone()[0] == "on")

    def size(self, name: str) -> int:
        with self._admin.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(%s)", [name])
            return int(cursor.fetchone()[0])

    def free(self) -> int | None:
        """Known only of a server on this machine that tells the folder of its files."""
        self._drops.make_room()
        try:
            with self._admin.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), current_setting('data_directory')")
                pid, folder = cursor.fetchone()
            if Path("/proc", str(pid), "comm").read_text().startswith("postgres"):
                return free_bytes(Path(folder))
        except (Error, OSError):  # another machine, or a role that may not read settings
            pass
        return None

    def take(self, name: str) -> tuple[str, int | None]:
        """Before PostgreSQL 15, what seeding did may be counted after the run has begun."""
        if self._admin.version < 150_000:
            return self.clone(name), 0
        self._own(name)
        self.release()
        with self._admin.cursor() as cursor:
            return name, sessions(cursor, name)

    def drop_soon(self, name: str) -> None:
        with contextlib.suppress(Error):  # of another run that is dropping it
            self._drops.add(name, self.size(name))

    def end_sessions(self, name: str) -> bool:
        self._own(name)
        with contextlib.suppress(Error):
            return self._admin.end_sessions(name)
        return False

    @property
    def can_be_kept(self) -> bool:
        """On the embedded server: on another one the program of its version may not be there."""
        return bool(self.target.embedded)

    def content(self, name: str) -> bytes | None:
        self._own(name)
        with self._admin.cursor() as cursor:
            return dump(cursor, name, self.target.embedded)

    def restore(self, content: bytes) -> str | None:
        name = self.create()
        try:
            with self._unmarked(name) as cursor:
                cursor.execute(content.decode())
        except Error:
            self.drop(name)
            return None
        return name

    def close(self) -> None:
        self._lease.stop()
        waiting = self._drops.stop()
        self.release()
        self._drop_all([name for name in waiting if name not in self.names])
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
        strategy = ""
        if self._admin.version >= 150_000:
            large = self.size(source) > _FILES_ABOVE
            strategy = f"STRATEGY {'file_copy' if large else 'wal_log'}"
        self._make(f'CREATE DATABASE "{name}" TEMPLATE "{source}" {strategy}')

    def _drop(self, name: str) -> None:
        with self._admin.cursor() as cursor:
            self._drop_with(cursor, name)

    def _drop_all(self, names: Sequence[str]) -> None:
        super()._drop_all(self._drops.at_once(names))

    def _drop_with(self, cursor: Any, name: str) -> None:
        self._roll_back_prepared(cursor, name)
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        with contextlib.suppress(ValueError):  # of a run that has died
            self.names.remove(name)

    def _roll_back_prepared(self, cursor: Any, name: str) -> None:
        """End the transactions that PREPARE TRANSACTION has left: no database with one is dropped.

        It takes a session in that database.
        """
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
            session = connection_to(self.connection, name)
            with contextlib.closing(session), session.cursor() as cursor:
                yield cursor

    def _make(self, sql: str) -> None:
        with with_cure(self.connection), self._admin.cursor() as cursor:
            cursor.execute(sql)
