"""What being measured costs the measured process, against plain ``manage.py migrate``.

    python benchmarks/overhead.py [--rounds 5]

Both run on clones of the same database, in turn.  Of each the processor time counts, which other
processes change least.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from resource import RUSAGE_CHILDREN, getrusage

from cases import Case, chosen
from lab import BODIES, apply, bed_of, keep, open_servers

from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.units import MIB

NAMES = (
    "readings.0003_iterator",
    "readings.0018_update_with_expression",
    "readings.0016_cursor_fetchall",
    "articles.0002_loop_over_all",
)
# manage.py migrate, which then tells its peak.
PLAIN = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "migrate", *sys.argv[1:], "--no-input", "--no-color"])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""
FEW, MOST = 2_000, 400_000


def plain(case: Case, name: str) -> int:
    """The peak in bytes of a plain run."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, *case.migration.split(".")],
        cwd=BODIES,
        env={**os.environ, "BODIES_NAME": name, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        check=True,
        # As the worker has one: the scheduler shares the cores between sessions.
        start_new_session=True,
    )
    return int(done.stdout.split()[-1])


def measured(case: Case, seeded: SeededDatabase, name: str) -> int:
    """The peak in bytes of a run as in a check."""
    return int(apply(case, seeded, name).peak)


def timed(peak: Callable[[], int]) -> tuple[int, float]:
    """A peak, and the processor time of all processes that were started for it."""
    before = getrusage(RUSAGE_CHILDREN)
    found, after = peak(), getrusage(RUSAGE_CHILDREN)
    return found, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(case: Case, rounds: int, servers: ServerClients) -> dict[str, object]:
    """The least processor time of each, without that of a run over few rows, which is to start."""
    extra: list[int] = []
    seconds: dict[tuple[int, str], list[float]] = defaultdict(list)
    sizes = FEW, case.size
    with bed_of(case, servers) as seeded:
        for size in sizes:
            seeded.fill(size)
            for _ in range(rounds):
                names = seeded.clone(), seeded.clone()
                ours, took = timed(partial(measured, case, seeded, names[0]))
                seconds[size, "ours"].append(took)
                theirs, took = timed(partial(plain, case, names[1]))
                seconds[size, "theirs"].append(took)
                extra += [ours - theirs] if size == case.size else []
                for name in names:
                    seeded.drop(name)
    spent, plainly = (
        min(seconds[case.size, whose]) - min(seconds[FEW, whose]) for whose in ("ours", "theirs")
    )
    peak, more = statistics.median(extra), spent / plainly - 1
    print(f"{case.migration}: {peak / MIB:+.2f} MiB, {more:+.1%} of {plainly:.1f} s", flush=True)
    return {"migration": case.migration, "extra_bytes": peak, "extra_time": more}


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with open_servers() as servers:
        cases = [case.with_at_most(MOST) for case in chosen(NAMES)]
        keep("overhead", [compare(case, rounds, servers) for case in cases], servers)


if __name__ == "__main__":
    main()
