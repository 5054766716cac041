"""Which runs with databases on a server are still alive.

A run is alive while it has the session that administers its databases, which tells the run's name.
A session may be ended by an idle timeout or a restart of the server, so each run also holds a
lease: the comment of its first database, which names the lock that the run holds on its own
machine, and says until when other machines have to leave the run alone.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_membudget.database.folder import is_locked, machine

PREFIX = "membudget_"
_NAME = re.compile(rf"({PREFIX}[0-9a-f]{{12}})_([0-9]+)")
_SECONDS = 600
_RENEW_EVERY = 60.0

Cursor = Callable[[], AbstractContextManager[Any]]
"""Gives a cursor of the session that administers."""


@dataclass(frozen=True)
class LeaseQueries:
    """``now`` is for the seconds since 1970, ``comment`` writes a ``text`` on a database.

    ``databases`` is for the names that match a pattern, with their comments, ``connected`` for the
    runs that have a session.
    """

    now: str
    comment: str
    databases: str
    connected: str


POSTGRESQL = LeaseQueries(
    now="SELECT extract(epoch FROM clock_timestamp())::bigint",
    comment="""COMMENT ON DATABASE "{name}" IS {text}""",
    databases=(
        "SELECT d.datname, shobj_description(d.oid, 'pg_database') FROM pg_database d"
        " WHERE d.datname ~ %s AND pg_has_role(d.datdba, 'USAGE')"
    ),
    connected="SELECT DISTINCT application_name FROM pg_stat_activity",
)


class Lease:
    """The lease of one run, on a server that understands these ``queries``."""

    def __init__(self, run: str, folder: Path, cursor: Cursor, queries: LeaseQueries) -> None:
        self._run = run
        self._folder = folder
        self._cursor = cursor
        self._queries = queries
        self._stopped = threading.Event()
        self._database: str | None = None

    def take(self, database: str) -> None:
        """Write the lease on the run's first database, and renew it from now on."""
        if self._database is None:
            self._database = database
            self._renew()
            threading.Thread(target=self._keep, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _keep(self) -> None:
        while not self._stopped.wait(_RENEW_EVERY):
            # A server that restarts is there again at the next renewal.
            with contextlib.suppress(Exception):
                self._renew()

    def _renew(self) -> None:
        with self._cursor() as cursor:
            cursor.execute(self._queries.now)
            text = json.dumps(
                {
                    "run": self._run,
                    "machine": machine(),
                    "folder": str(self._folder),
                    "until": int(cursor.fetchone()[0]) + _SECONDS,
                }
            )
            quoted = "'{}'".format(text.replace("'", "''"))
            cursor.execute(self._queries.comment.format(name=self._database, text=quoted))


def dead_runs(cursor: Any, queries: LeaseQueries) -> dict[str, list[str]]:
    """The databases of runs that have ended, by run.  A name is no proof: see the mark as well."""
    cursor.execute(queries.databases, [f"^{_NAME.pattern}$"])
    named, leases = defaultdict[str, list[str]](list), {}
    for database, comment in cursor.fetchall():
        run, number = _NAME.fullmatch(database).groups()  # type: ignore[union-attr]
        named[run].append(database)
        if number == "1":
            leases[run] = comment
    if not named:
        return {}
    cursor.execute(queries.connected)
    connected = {name for (name,) in cursor.fetchall()}
    cursor.execute(queries.now)
    now = int(cursor.fetchone()[0])
    return {
        run: names
        for run, names in named.items()
        if run not in connected and not _holds(leases.get(run), run, now)
    }


def _holds(comment: str | None, run: str, now: int) -> bool:
    """Whether a lease says that its run is alive."""
    try:
        lease = json.loads(comment or "")
        if lease["run"] != run:
            return False
        if lease["machine"] == machine():
            return is_locked(Path(lease["folder"]))
        return bool(lease["until"] > now)
    except (ValueError, KeyError, TypeError):
        return False
