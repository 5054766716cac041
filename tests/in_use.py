"""A plugin of pytest: what its process and those below it have in use after each test.

``pytest -p in_use`` writes a line of JSON for each to the file that ``IN_USE`` names.  With
``PGHOST`` it counts the sessions and the databases of that server too.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

# A program by what its command line holds; each but pytest itself has a supervisor.
_PROGRAMS = {"server.main": "server", "worker.template": "template"}
# Databases are dropped beside the next check.
_SETTLES_SECONDS = 5.0


def pytest_runtest_logfinish(nodeid: str) -> None:
    end, before = time.monotonic() + _SETTLES_SECONDS, {}
    while (now := in_use()) != before and time.monotonic() < end:
        before = now
        time.sleep(0.2)
    with Path(os.environ["IN_USE"]).open("a") as file:
        file.write(json.dumps({"test": nodeid, **now}) + "\n")


def in_use() -> dict[str, int]:
    """Bytes of RSS and open files by program, and counts of what all of them have together."""
    found: dict[str, int] = {}
    for name, process in programs():
        with contextlib.suppress(psutil.NoSuchProcess):
            found[f"{name}_bytes"] = process.memory_info().rss
            found[f"{name}_fds"] = process.num_fds()
            found[f"{name}_threads"] = process.num_threads()
    found["processes"] = len(psutil.Process().children(recursive=True))
    temporary = Path(tempfile.gettempdir())
    found["files"] = sum(len(list(run.rglob("*"))) for run in temporary.glob("membudget-*"))
    return found | (of_server() if "PGHOST" in os.environ else {})


def programs() -> Iterator[tuple[str, psutil.Process]]:
    yield "pytest", psutil.Process()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = " ".join(process.cmdline())
            for part, name in _PROGRAMS.items():
                if part in command and "supervisor.py" not in command:
                    yield name, process


def of_server() -> dict[str, int]:
    import psycopg

    query: Any = (
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid()), (SELECT count(*) FROM pg_database)"
    )
    with psycopg.connect(dbname="postgres", user=os.environ.get("PGUSER", "postgres")) as session:
        row = session.execute(query).fetchone()
        assert row is not None
        return {"sessions": int(row[0]), "databases": int(row[1])}
