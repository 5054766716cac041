"""Sessions in a database of the server that nothing is written to, to make and drop others."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.scratch.errors import cure_of
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError

_DATABASES = ("postgres", "template1")
# What a statement takes to notice that its session is to end.
_END_SECONDS, _LOOK_EVERY = 1.0, 0.02
# A share of the sessions that are free; one where the role may not have as many as it likes.
_SPARE = """
    SELECT greatest(1, CASE WHEN rolconnlimit >= 0 THEN 1 ELSE
        (current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity)) / 4 END)
    FROM pg_roles WHERE rolname = current_user
"""


class Administration:
    """A session that shows that the run is alive, and is opened anew where it was ended.

    ``connection`` is Django's to the server.  Threads use the session one at a time.
    """

    def __init__(self, connection: Any, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._one_at_a_time = threading.RLock()
        self._session = _maintenance_connection(connection, target)
        self.version: int = self._session.pg_version

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        with self._one_at_a_time:
            if not self._session.is_usable():
                self._session.close()
                with self._target.allow_unmarked(self._session.settings_dict["NAME"]):
                    _open(self._session, self._target.mark)
            with self._session.cursor() as cursor:
                yield cursor

    @contextlib.contextmanager
    def others(self, most: int) -> Iterator[Sequence[Any]]:
        """Cursors of so many further sessions, or of those that the server has to spare."""
        with contextlib.ExitStack() as stack:
            cursors: list[Any] = []
            with contextlib.suppress(Error, ServerError):
                for _ in range(min(most, self._spare())):
                    session = Administration(self._connection, self._target)
                    stack.callback(session.close)
                    cursors.append(stack.enter_context(session.cursor()))
            yield cursors

    def _spare(self) -> int:
        with self.cursor() as cursor:
            cursor.execute(_SPARE)
            return int(cursor.fetchone()[0])

    def end_sessions(self, database: str) -> bool:
        """End all sessions of a database; whether they have ended soon."""
        end = time.monotonic() + _END_SECONDS
        with self.cursor() as cursor:
            while True:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = %s AND backend_type = 'client backend'",
                    [database],
                )
                if not cursor.fetchone()[0]:
                    return True
                if time.monotonic() > end:
                    return False
                time.sleep(_LOOK_EVERY)

    def close(self) -> None:
        self._session.close()


def connection_to(connection: Any, name: str) -> Any:
    """Another Django connection to the same server, to the database ``name``."""
    return type(connection)({**connection.settings_dict, "NAME": name}, connection.alias)


def _maintenance_connection(connection: Any, target: Target) -> Any:
    problems, cure = [], None
    for name in (*_DATABASES, connection.settings_dict["NAME"]):
        candidate = connection_to(connection, name)
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


def _open(session: Any, run: str) -> None:
    session.ensure_connection()
    session.inc_thread_sharing()
    with session.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [run])
        if session.pg_version >= 140_000:
            cursor.execute("SET idle_session_timeout = 0")
