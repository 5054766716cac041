"""The kernel as the judge: full size in a memory control group, above and below the projection.

    python benchmarks/kernel.py

The migration has to live in a group of 1.1 times the projected figure that the kernel acts on
(the peak less what it can reclaim), and to be killed in one of 0.9 times.  Needs root.
"""

from __future__ import annotations

import os
import subprocess
import sys

from cases import Case, chosen
from lab import BODIES, bed_of, check_case, keep, open_servers

from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.processes.worker.control_group import NoControlGroup, control_group
from pytest_membudget.units import format_size

NAMES = (
    "readings.0002_loop_over_all",
    "readings.0006_dict_of_codes",
    "readings.0012_csv_text",
    "readings.0021_bulk_create_copies",
    "articles.0010_in_bulk",
    "shop.0007_lists_by_order",
)
SHARES = (1.1, 0.9)
KILLED = -9


def judge(case: Case, servers: ServerClients) -> dict[str, object]:
    result = check_case(case, 1 << 40, servers)
    figure = result.anonymous_bytes
    assert figure is not None
    app_label, name = case.migration.split(".")
    command = [sys.executable, str(BODIES / "manage.py"), "migrate", app_label, name, "--no-input"]
    statuses = {}
    with bed_of(case, servers) as seeded:
        seeded.fill(case.size)
        for share in SHARES:
            limit = round(share * figure)
            statuses[share] = _call(command, limit, {"BODIES_NAME": seeded.clone()})
            print(f"{case.migration} in {format_size(limit)}: exit status {statuses[share]}")
    return {
        "migration": case.migration,
        "peak_bytes": result.peak_bytes,
        "anonymous_bytes": figure,
        "basis": result.basis,
        "statuses": statuses,
        "met": statuses[1.1] == 0 and statuses[0.9] == KILLED,
    }


def _call(command: list[str], limit: int, environment: dict[str, str]) -> int:
    """Run a command under ``limit`` bytes; its exit status, -9 where the kernel killed it."""
    with control_group(limit) as group:
        return subprocess.run(
            [*group.enter, *command],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode


def main() -> int:
    try:
        with open_servers() as servers:
            rows = [judge(case, servers) for case in chosen(NAMES)]
            keep("kernel", rows, servers)
    except NoControlGroup as error:
        print(f"skipped: {error}")
        return 0
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
