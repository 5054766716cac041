"""What a run has left behind: folders, databases and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import servers


class Leftovers:
    """Of the runs whose temporary folder is ``temporary``; with no server SQLite's only."""

    def __init__(self, temporary: Path, server: servers.Server | servers.MariaDB | None) -> None:
        self._temporary = temporary
        self._server = server

    def __call__(self) -> list[str]:
        left = [path.name for path in self._temporary.iterdir() if path.name[:9] == "membudget"]
        left += filter(None, map(self._of_a_run, psutil.process_iter()))
        return left + (databases(self._server) if self._server else [])

    def after_a_while(self) -> list[str]:
        """What is still there when everything that will be removed is gone."""
        eventually(lambda: self() == [], 60)
        return self()

    def _of_a_run(self, process: psutil.Process) -> str | None:
        """The command of a process that a run has started, whatever it is."""
        try:
            environment = process.environ()
            ours = environment.get("TMPDIR") == str(self._temporary)
            # pytest's own environment has the name of the test.
            if ours and "PYTEST_CURRENT_TEST" not in environment:
                return " ".join(process.cmdline()) or process.name()
        except psutil.Error:
            pass
        return None


def databases(server: servers.Server | servers.MariaDB) -> list[str]:
    """Those of runs, and on MariaDB their users."""
    if isinstance(server, servers.MariaDB):
        sql = """
            SELECT schema_name FROM information_schema.schemata
            WHERE schema_name REGEXP '^membudget_'
            UNION ALL SELECT concat(user, '@', host) FROM mysql.user WHERE user REGEXP '^membudget_'
        """
        return [name for (name,) in server.query(sql)]
    with server.connect() as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^membudget'")
        return [name for (name,) in rows]


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
