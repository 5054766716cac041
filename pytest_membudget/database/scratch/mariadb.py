"""MariaDB: databases with the run's mark as their comment, and a user with rights to no others."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.free_space import free_bytes
from pytest_membudget.database.scratch.administration import connection_to
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.database.scratch.lease import PREFIX, Lease, dead_runs
from pytest_membudget.database.scratch.mariadb_administration import LEASES, Administration
from pytest_membudget.database.scratch.mariadb_copy import copy_database
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError

# What a statement takes to notice that its session is to end.
_END_SECONDS, _LOOK_EVERY = 1.0, 0.02
_FIRST = "_1"
# Views of the server, of which each user sees its own part.
_OF_ALL = {"information_schema", "performance_schema"}


class MariaDBScratch(ScratchDatabases):
    """The databases of one run on one server.

    Each has the run's name in its comment, from the statement on that makes it; that of the first
    one is the run's lease.  All sessions but the one that makes and drops databases are those of
    the run's user, who is made after the first database and dropped before it.
    """

    def __init__(self, connection: Any, folder: Path, target: Target) -> None:
        super().__init__(connection, folder, target)
        target.mark = PREFIX + secrets.token_hex(6)
        self._admin = Administration(connection, target)
        self._like = self._characters()
        self._lease = Lease(target.mark, folder, self._admin.cursor, LEASES)

    def create(self) -> str:
        name = super().create()
        if not self.target.password:
            self._lease.take(name)
            self.target.password = self._admin.make_account()
            self.target.lead_to_account(self.connection.settings_dict)
            self._require_seclusion(name)
        return name

    def _require_seclusion(self, name: str) -> None:
        """Rights that a server gives to each of its users are those of the run's user as well."""
        with self._session(name) as cursor:
            cursor.execute("SELECT schema_name FROM information_schema.schemata")
            reached = {database for (database,) in cursor.fetchall()}
        if reached - _OF_ALL != {name}:
            others = ", ".join(sorted(reached - _OF_ALL - {name})) or "unknown databases"
            raise ServerError(
                f"each user of the server may reach {others}, so that a migration that is checked "
                "could change them: take these rights from PUBLIC and from the users without a "
                "name, or drop the databases"
            )

    def leftovers(self) -> list[str]:
        """Those of a dead run whose comment names it, the first one, with its lease, last."""
        with self._admin.cursor() as cursor:
            dead = dead_runs(cursor, LEASES)
            return [
                name
                for run, names in dead.items()
                for name in sorted(names, key=lambda name: name == run + _FIRST)
                if _run_of(cursor, name) == run
            ]

    def size(self, name: str) -> int:
        with self._admin.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables"
                " WHERE table_schema = %s",
                [name],
            )
            return int(cursor.fetchone()[0])

    def free(self) -> int | None:
        """Known only of a server on this machine."""
        with contextlib.suppress(Error, OSError, ValueError):
            with self._admin.cursor() as cursor:
                cursor.execute("SELECT @@pid_file, @@datadir")
                file, folder = cursor.fetchone()
            pid = Path(folder, file).read_text().strip()
            if Path("/proc", pid, "comm").read_text().startswith(("mariadbd", "mysqld")):
                return free_bytes(Path(folder))
        return None

    def end_sessions(self, name: str) -> bool:
        self._own(name)
        return self._end_sessions(name)

    def close(self) -> None:
        self._lease.stop()
        super().close()
        self._admin.close()

    def _name(self, number: int) -> str:
        return f"{self.target.mark}_{number}"

    def _create(self, name: str) -> None:
        comment = json.dumps({"run": self.target.mark})
        with self._admin.with_cure(), self._admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` {self._like} COMMENT '{comment}'")

    def _clone(self, source: str, name: str) -> None:
        self.release()
        self._create(name)
        with self._session(name) as cursor:
            copy_database(cursor, source)

    def _drop(self, name: str) -> None:
        own, has_account = name in self.names, bool(self.target.password)
        if own and has_account:
            with contextlib.suppress(Error):
                self._end_sessions(name)
        with self._admin.cursor() as cursor:
            if name.endswith(_FIRST) and (has_account or not own):
                self._admin.drop_account(name.removesuffix(_FIRST))
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        with contextlib.suppress(ValueError):  # of a run that has died
            self.names.remove(name)

    def _end_sessions(self, name: str) -> bool:
        """Each user may end sessions of its own."""
        end = time.monotonic() + _END_SECONDS
        with self._session(name) as cursor:
            while True:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist"
                    " WHERE db = %s AND id <> connection_id()",
                    [name],
                )
                found = [number for (number,) in cursor.fetchall()]
                if not found:
                    return True
                if time.monotonic() > end:
                    return False
                for number in found:
                    with contextlib.suppress(Error):  # it has just ended
                        cursor.execute(f"KILL {number}")
                time.sleep(_LOOK_EVERY)

    @contextlib.contextmanager
    def _session(self, name: str) -> Iterator[Any]:
        """A cursor of a session of its own in one of the databases."""
        session = connection_to(self.connection, name)
        with contextlib.closing(session), session.cursor() as cursor:
            yield cursor

    def _characters(self) -> str:
        """The character set and collation that the settings of tests name, or production's."""
        if suffix := self.connection.creation.sql_table_creation_suffix():
            return str(suffix)
        with self._admin.cursor() as cursor:
            cursor.execute(
                "SELECT default_character_set_name, default_collation_name"
                " FROM information_schema.schemata WHERE schema_name = %s",
                [self.connection.settings_dict["NAME"]],
            )
            found = cursor.fetchone()
        return "CHARACTER SET {} COLLATE {}".format(*found) if found else ""


def _run_of(cursor: Any, name: str) -> str | None:
    """The run whose mark a database has."""
    cursor.execute(
        "SELECT schema_comment FROM information_schema.schemata WHERE schema_name = %s", [name]
    )
    found = cursor.fetchone()
    try:
        return str(json.loads(found[0])["run"])
    except (ValueError, KeyError, TypeError):
        return None
