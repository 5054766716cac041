"""What being measured costs the measured process, against plain ``manage.py migrate``.

    python benchmarks/overhead.py [--rounds 7]

Both run on clones of the same database, in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from argparse import ArgumentParser

from cases import Case, chosen
from lab import BODIES, apply, bed_of, keep, open_servers

from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.units import MIB

NAMES = (
    "readings.0003_iterator",
    "readings.0018_update_with_expression",
    "readings.0016_cursor_fetchall",
    "articles.0002_loop_over_all",
)
# manage.py migrate, which then tells its peak and the seconds since the migration was about to run.
PLAIN = """
import json, sys, time
from django.core.management import execute_from_command_line
from django.db.models.signals import pre_migrate
begin = []
def note(**_): begin or begin.append(time.perf_counter())
pre_migrate.connect(note)
execute_from_command_line(["manage.py", "migrate", *sys.argv[1:], "--no-input", "--no-color"])
seconds = time.perf_counter() - begin[0]
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([int(peak.split()[1]) * 1024, seconds]))
"""


def plain(case: Case, name: str) -> tuple[int, float]:
    """Peak in bytes and seconds of a plain run."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *case.migration.split(".")],
        cwd=BODIES,
        env={**os.environ, "BODIES_NAME": name, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        check=True,
        # As the worker has one: the scheduler shares the cores between sessions.
        start_new_session=True,
    )
    peak, seconds = json.loads(done.stdout.splitlines()[-1])
    return peak, seconds


def compare(case: Case, rounds: int, servers: ServerClients) -> dict[str, object]:
    pairs = []
    with bed_of(case, servers) as seeded:
        seeded.fill(case.size)
        for _ in range(rounds):
            names = seeded.clone(), seeded.clone()
            measured = apply(case, seeded, names[0])
            pairs.append(((measured.peak, measured.duration), plain(case, names[1])))
            for name in names:
                seeded.drop(name)
    peak = statistics.median(ours[0] - theirs[0] for ours, theirs in pairs)
    seconds = statistics.median(ours[1] / theirs[1] - 1 for ours, theirs in pairs)
    print(f"{case.migration}: {peak / MIB:+.2f} MiB, {seconds:+.1%} time")
    return {"migration": case.migration, "extra_bytes": peak, "extra_time": seconds}


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with open_servers() as servers:
        keep("overhead", [compare(case, rounds, servers) for case in chosen(NAMES)], servers)


if __name__ == "__main__":
    main()
