"""What the benchmarks share: the project of migration bodies, and its scratch databases.

``BODIES_DATABASE=postgresql`` with PGHOST and its like measures on that server, and
``BODIES_DATABASE=mysql`` on the one that MARIADB_SOCKET and MARIADB_USER lead to.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BODIES = HERE / "bodies"
RESULTS = HERE / "results"
VENDOR = os.environ.get("BODIES_DATABASE", "sqlite")
_WITHOUT_END = 24 * 3600.0
_LEAST_ROWS = 1_500
_LONGEST_STEP = 60.0

sys.path.insert(0, str(BODIES))
os.environ["PYTHONPATH"] = str(BODIES)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django  # noqa: E402
from cases import Case  # noqa: E402

django.setup()

from pytest_membudget.budget.options import Options, Setting  # noqa: E402
from pytest_membudget.check.plan import CheckPlan  # noqa: E402
from pytest_membudget.check.planner import complete  # noqa: E402
from pytest_membudget.check.session import check  # noqa: E402
from pytest_membudget.judge.result import Result  # noqa: E402
from pytest_membudget.processes.server.client import ServerClients  # noqa: E402
from pytest_membudget.processes.server.seeded_database import SeededDatabase  # noqa: E402
from pytest_membudget.processes.worker.launcher import run  # noqa: E402
from pytest_membudget.sample import Outcome, Run, Sample  # noqa: E402

_NO_OPTIONS = Options(attribution=Setting("never", "default"))


def plan(migration: str, rows: dict[str, int], limit: int, **arguments: Any) -> CheckPlan:
    """What the marker with these arguments asks for."""
    return complete((migration,), {"rows": rows, "limit": limit, **arguments}, _NO_OPTIONS)


@contextmanager
def open_servers() -> Iterator[ServerClients]:
    servers = ServerClients()
    try:
        yield servers
    finally:
        servers.close()


def check_case(case: Case, limit: int, servers: ServerClients, **arguments: Any) -> Result:
    asked = plan(case.migration, case.rows, limit, **arguments)
    return check(asked, servers, case.migration, lambda _: None)


@contextmanager
def bed_of(case: Case, servers: ServerClients) -> Iterator[SeededDatabase]:
    """An empty database at the state before the migration, to be filled and cloned."""
    asked = _unlimited(case)
    seeded = SeededDatabase(servers.get("default"), asked.budget, asked.applied)
    try:
        yield seeded
    finally:
        seeded.close()


def apply(case: Case, seeded: SeededDatabase, name: str) -> Run:
    """Apply the migration to a clone, in a process of its own with no limit and no deadline."""
    job = _unlimited(case).job(seeded, name, deadline=_WITHOUT_END, stop_above=sys.maxsize)
    done = run(replace(job, workers=None))
    if done.outcome != Outcome.FINISHED:
        raise RuntimeError(f"{case.migration} is no truth: {done.failure}")
    return done


def curve(case: Case, servers: ServerClients) -> Iterator[Sample]:
    """Samples that double up to production's row counts.

    Steps on the way that would take longer than a check does are left out.
    """
    whole, seconds = case.size, 0.0
    with bed_of(case, servers) as seeded:
        for exponent in range(round(math.log2(whole / _LEAST_ROWS)), -1, -1):
            size = -(-whole // 2**exponent)
            if exponent and seconds > _LONGEST_STEP / 2:
                continue
            filled, name = seeded.fill(size), seeded.clone()
            done = apply(case, seeded, name)
            seeded.drop(name)
            seconds = done.duration
            yield Sample(seeded.rows(size), done, filled.seconds, filled.rows, widths=filled.widths)


def _unlimited(case: Case) -> CheckPlan:
    return plan(case.migration, case.rows, 1 << 50)


def circumstances(servers: ServerClients) -> dict[str, str]:
    """Machine, versions and commit, to be kept beside the figures."""
    server = servers.get("default")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "database": f"{server.greeting.vendor} {server.greeting.version}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "pytest-membudget": metadata.version("pytest-membudget"),
        "commit": commit.stdout.strip(),
        "platform": platform.platform(),
        "machine": f"{os.cpu_count()} cores, {memory / 1024**3:.0f} GiB",
    }


def keep(name: str, rows: list[dict[str, Any]], servers: ServerClients) -> None:
    """Write figures to results/, beside what they were measured with."""
    document = {"circumstances": circumstances(servers), "rows": rows}
    path = RESULTS / f"{name}_{VENDOR}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
