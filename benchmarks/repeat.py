"""The same check again and again: alone, and with another core kept busy.

    python benchmarks/repeat.py [--rounds 10]

The projected peak has to repeat within 1 %, and the verdict has to be the same each time.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cases import Case, chosen
from lab import check_case, keep, open_servers

from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.units import MIB

LIMITS = {
    "readings.0002_loop_over_all": 512 * MIB,
    "readings.0003_iterator": 96 * MIB,
    "shop.0007_lists_by_order": 768 * MIB,
}
GOAL = 0.01


@contextmanager
def another_core_busy() -> Iterator[None]:
    spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def repeat(case: Case, rounds: int, servers: ServerClients) -> dict[str, Any]:
    results = [check_case(case, LIMITS[case.migration], servers) for _ in range(rounds)]
    peaks = [result.peak_bytes or 0 for result in results]
    spread = (max(peaks) - min(peaks)) / min(peaks)
    verdicts = sorted({result.verdict for result in results})
    print(f"{case.migration}: spread {spread:.2%}, {', '.join(verdicts)}")
    return {
        "peaks": peaks,
        "spread": spread,
        "verdicts": verdicts,
        "met": spread <= GOAL and len(verdicts) == 1,
    }


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    rows: list[dict[str, Any]] = []
    with open_servers() as servers:
        for case in chosen(LIMITS):
            alone = repeat(case, rounds, servers)
            with another_core_busy():
                busy = repeat(case, rounds, servers)
            rows.append({"migration": case.migration, "alone": alone, "busy": busy})
        keep("repeat", rows, servers)
    return 0 if all(row["alone"]["met"] and row["busy"]["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
