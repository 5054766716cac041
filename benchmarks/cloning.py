"""Seconds to copy and to drop a PostgreSQL database of each size, by the strategy of the copy.

    python benchmarks/cloning.py

It starts servers of its own, one that waits for its disk and one that does not.  Each source has
just been filled, as the one of a sample.  The figures are in database/scratch/postgresql.py.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import servers

SIZES = 8, 16, 32, 64, 128, 256, 512, 1024
ROUNDS = 3
# A row of the table, with its header.
_BYTES = 1170


def main() -> None:
    for fsync in ("on", "off"):
        with servers.postgresql(fsync=fsync == "on") as server, server.connect() as session:
            print(f"PostgreSQL {session.info.server_version // 10_000}, fsync={fsync}")
            for megabytes in SIZES:
                seconds = dict(figures(server, session, megabytes))
                print(f"{megabytes:>6} MB", *(f"{k} {v:.2f}" for k, v in seconds.items()))


def figures(server: servers.Server, session: Any, megabytes: int) -> Iterator[tuple[str, float]]:
    """Medians of the seconds of a copy and of its drop, by strategy."""
    for strategy in ("wal_log", "file_copy"):
        copies, drops = [], []
        for _ in range(ROUNDS):
            session.execute("CREATE DATABASE source")
            with server.connect("source") as source:
                rows = max(0, megabytes - 8) * 1024**2 // _BYTES
                source.execute(
                    "CREATE TABLE filled AS SELECT repeat(md5(n::text), 32)"
                    f" FROM generate_series(1, {rows}) n"
                )
            create = f"CREATE DATABASE copy TEMPLATE source STRATEGY {strategy}"
            copies.append(timed(session, create))
            drops.append(timed(session, "DROP DATABASE copy WITH (FORCE)"))
            session.execute("DROP DATABASE source WITH (FORCE)")
        yield strategy, statistics.median(copies)
        yield f"drop of {strategy}", statistics.median(drops)


def timed(session: Any, statement: str) -> float:
    begin = time.perf_counter()
    session.execute(statement)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
