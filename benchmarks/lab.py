"""What the benchmarks share: the project of migration bodies, and its scratch databases.

``BODIES_DATABASE=postgresql`` with PGHOST and its like measures on that server.
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

from pytest_membudget.measurement import FINISHED, Run, Sample  # noqa: E402
from pytest_membudget.plugin.collection import complete  # noqa: E402
from pytest_membudget.plugin.settings import Options, Setting  # noqa: E402
from pytest_membudget.result import Result  # noqa: E402
from pytest_membudget.seedbed import Seedbed  # noqa: E402
from pytest_membudget.session import check  # noqa: E402
from pytest_membudget.subject import Subject  # noqa: E402
from pytest_membudget.worker.launcher import run  # noqa: E402
from pytest_membudget.worker.stage_client import Stages  # noqa: E402

_NO_OPTIONS = Options(attribution=Setting("never", "default"))


def subject(migration: str, rows: dict[str, int], limit: int, **arguments: Any) -> Subject:
    """What the marker with these arguments asks for."""
    return complete((migration,), {"rows": rows, "limit": limit, **arguments}, _NO_OPTIONS)


@contextmanager
def open_stages() -> Iterator[Stages]:
    stages = Stages()
    try:
        yield stages
    finally:
        stages.close()


def check_case(case: Case, limit: int, stages: Stages, **arguments: Any) -> Result:
    asked = subject(case.migration, case.rows, limit, **arguments)
    return check(asked, stages, case.migration, lambda _: None)


@contextmanager
def bed_of(case: Case, stages: Stages) -> Iterator[Seedbed]:
    """An empty database at the state before the migration, to be filled and cloned."""
    asked = _unlimited(case)
    bed = Seedbed(stages.get("default"), asked.budget, asked.applied)
    try:
        yield bed
    finally:
        bed.close()


def apply(case: Case, bed: Seedbed, name: str) -> Run:
    """Apply the migration to a clone, with no limit and no deadline."""
    order = _unlimited(case).order(bed, name, deadline=_WITHOUT_END, stop_above=sys.maxsize)
    done = run(order)
    if done.outcome != FINISHED:
        raise RuntimeError(f"{case.migration} is no truth: {done.failure}")
    return done


def curve(case: Case, stages: Stages) -> Iterator[Sample]:
    """Samples that double up to production's row counts.

    Steps on the way that would take longer than a check does are left out.
    """
    whole, seconds = case.size, 0.0
    with bed_of(case, stages) as bed:
        for exponent in range(round(math.log2(whole / _LEAST_ROWS)), -1, -1):
            size = -(-whole // 2**exponent)
            if exponent and seconds > _LONGEST_STEP / 2:
                continue
            filled, name = bed.fill(size), bed.clone()
            done = apply(case, bed, name)
            bed.drop(name)
            seconds = done.duration
            yield Sample(bed.rows(size), done, filled.seconds, filled.rows, filled.widths)


def _unlimited(case: Case) -> Subject:
    return subject(case.migration, case.rows, 1 << 50)


def circumstances(stages: Stages) -> dict[str, str]:
    """Machine, versions and commit, to be kept beside the figures."""
    stage = stages.get("default")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "database": f"{stage.vendor} {stage.version}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "pytest-membudget": metadata.version("pytest-membudget"),
        "commit": commit.stdout.strip(),
        "platform": platform.platform(),
        "machine": f"{os.cpu_count()} cores, {memory / 1024**3:.0f} GiB",
    }


def keep(name: str, rows: list[dict[str, Any]], stages: Stages) -> None:
    """Write figures to results/, beside what they were measured with."""
    document = {"circumstances": circumstances(stages), "rows": rows}
    path = RESULTS / f"{name}_{VENDOR}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
