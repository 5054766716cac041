"""PostgreSQL: ``CREATE DATABASE … TEMPLATE``.

A run keeps one session open whose ``application_name`` is the run's name.  A database that bears
the name of a run without a session belongs to a dead run, on whichever host that ran.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from typing import Any

from pytest_membudget.errors import StageError
from pytest_membudget.migrations.scratch.base import ScratchDatabases

_PREFIX = "membudget_"


class PostgreSQLScratch(ScratchDatabases):
    def __init__(self, connection: Any, folder: Path) -> None:
        super().__init__(connection, folder)
        self.run = _PREFIX + secrets.token_hex(6)
        self._suffix = connection.creation.sql_table_creation_suffix()
        self._admin = _maintenance_connection(connection)
        self._execute("SELECT set_config('application_name', %s, false)", [self.run])

    def remove_leftovers(self) -> None:
        with self._admin.cursor() as cursor:
            cursor.execute(
                "SELECT d.datname FROM pg_database d WHERE d.datname ~ %s"
                " AND pg_has_role(d.datdba, 'USAGE') AND NOT EXISTS (SELECT 1 FROM pg_stat_activity"
                " a WHERE a.application_name = substring(d.datname FROM %s))",
                [f"^{_PREFIX}[0-9a-f]{{12}}_[0-9]+$", f"^{_PREFIX}[0-9a-f]{{12}}"],
            )
            leftovers = [name for (name,) in cursor.fetchall()]
        for name in leftovers:
            with contextlib.suppress(Exception):  # another run may be removing it right now
                self._execute(f'DROP DATABASE IF EXISTS "{name}"')

    def size(self, name: str) -> int:
        with self._admin.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(%s)", [name])
            return int(cursor.fetchone()[0])

    def free(self) -> None:
        return None

    def close(self) -> None:
        super().close()
        self._admin.close()

    def _name(self, number: int) -> str:
        return f"{self.run}_{number}"

    def _create(self, name: str) -> None:
        self._execute(f'CREATE DATABASE "{name}" {self._suffix}')

    def _clone(self, source: str, name: str) -> None:
        self.release()
        strategy = " STRATEGY file_copy" if self._admin.pg_version >= 150_000 else ""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{strategy}')

    def _drop(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, sql: str, params: list[Any] | None = None) -> None:
        with self._admin.cursor() as cursor:
            cursor.execute(sql, params)


def _maintenance_connection(connection: Any) -> Any:
    """A second connection to the same server, to a database that nothing is written to."""
    from django.db.utils import Error

    settings = connection.settings_dict
    problems = []
    for name in ("postgres", "template1", settings["NAME"]):
        candidate = type(connection)({**settings, "NAME": name}, connection.alias)
        try:
            candidate.ensure_connection()
        except Error as error:
            problems.append(str(error).strip())
        else:
            return candidate
    raise StageError(f"no connection to the PostgreSQL server: {problems[0]}", "\n".join(problems))
