"""The session of the project's own role on a MariaDB server, and the user made for a run."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.scratch.lease import PREFIX, LeaseQueries
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError

_RUN = len(PREFIX) + 12
# That the run is alive, a lock of its name says, which ends with its session.
LEASES = LeaseQueries(
    now="SELECT unix_timestamp()",
    comment="ALTER DATABASE `{name}` COMMENT {text}",
    databases=(
        "SELECT schema_name, schema_comment FROM information_schema.schemata"
        " WHERE schema_name REGEXP CONCAT('(?-i)', %s)"
    ),
    connected=(
        f"SELECT DISTINCT left(schema_name, {_RUN}) FROM information_schema.schemata"
        f" WHERE schema_name REGEXP '^{PREFIX}' AND is_used_lock(left(schema_name, {_RUN}))"
    ),
)
# A database with a session in the middle of a transaction can't be dropped before that ends.
_SESSION = (
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', wait_timeout = 31536000,"
    " lock_wait_timeout = 5, max_statement_time = 0"
)
# See "MariaDB Error Codes": access denied to a database, to a statement, and by GRANT.
_NOT_ALLOWED = {1044, 1142, 1227, 1410}
# What a policy for passwords may ask for.
_CHARACTERS = "aA1!"
# Those that run as the session is opened are the project's own.
_LEFT_OUT = ("init_command", "database", "db")


class Administration:
    """A session in no database, which is opened anew where it was ended.

    Threads use it one at a time.
    """

    def __init__(self, connection: Any, target: Target) -> None:
        self._target = target
        self._one_at_a_time = threading.RLock()
        self._role = str(connection.settings_dict["USER"] or "…")
        options = connection.settings_dict["OPTIONS"]
        own = {name: its for name, its in options.items() if name not in _LEFT_OUT}
        settings = {**connection.settings_dict, "NAME": "", "OPTIONS": own}
        self._session = type(connection)(settings, connection.alias)
        try:
            self._open()
        except Error as error:
            text = str(error).strip()
            raise ServerError(f"no connection to the MariaDB server: {text}", text) from error
        if not self._session.mysql_is_mariadb:
            version = ".".join(map(str, self._session.mysql_version))
            self.close()
            raise ServerError(
                f"database {connection.alias!r} is on MySQL {version}, which membudget does not "
                "support yet; it supports MariaDB 10.11 and newer"
            )

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        with self._one_at_a_time:
            if not self._session.is_usable():
                self._session.close()
                self._open()
            with self._session.cursor() as cursor:
                yield cursor

    def make_account(self) -> str:
        """Make the run's user, who may do everything in its databases only; return its password."""
        password, run = secrets.token_urlsafe(24) + _CHARACTERS, self._target.mark
        users = _accounts(run)
        known = ", ".join(f"{user} IDENTIFIED BY '{password}'" for user in users)
        databases = f"{run}_%".replace("_", r"\_")
        with self.with_cure(), self.cursor() as cursor:
            cursor.execute(f"CREATE USER {known}")
            try:
                cursor.execute(f"GRANT ALL PRIVILEGES ON `{databases}`.* TO {', '.join(users)}")
            except Error:
                self.drop_account(run)
                raise
        return password

    def drop_account(self, run: str) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"DROP USER IF EXISTS {', '.join(_accounts(run))}")

    @contextlib.contextmanager
    def with_cure(self) -> Iterator[None]:
        """Raise ServerError with what the role lacks."""
        try:
            yield
        except Error as error:
            if error.args[:1] and error.args[0] in _NOT_ALLOWED:
                role = f"'{self._role}'"
                raise ServerError(
                    f"{error.args[-1]}; a check makes databases, and a user who can reach nothing "
                    "but these: allow the role both, or have the tests use another one: "
                    rf"GRANT ALL PRIVILEGES ON `membudget\_%`.* TO {role} WITH GRANT OPTION; "
                    f"GRANT CREATE USER ON *.* TO {role}"
                ) from error
            raise

    def close(self) -> None:
        self._session.close()

    def _open(self) -> None:
        with self._target.allow_unmarked(""):
            self._session.ensure_connection()
        self._session.inc_thread_sharing()
        with self._session.cursor() as cursor:
            cursor.execute(_SESSION)
            cursor.execute("SELECT get_lock(%s, 0)", [self._target.mark])


def _accounts(run: str) -> list[str]:
    """Both, since a nameless user of ``localhost`` would come before the one of all hosts."""
    return [f"'{run}'@'{host}'" for host in ("%", "localhost")]
