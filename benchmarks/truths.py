"""Hold the projected peaks of decided.py against the peaks really measured at full size.

    python benchmarks/decided.py packages --database postgresql --keep FOLDER
    python benchmarks/truths.py packages FOLDER --database postgresql [--most 20]

Of the verdicts that rest on a projection, those that take the least time are measured again, with
no limit and a time budget that allows a sample of production's row count.  Exits with 1 where a
verdict was wrong.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from decided import RESULTS, SETS, Project, run

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.reports.document import read_document
from pytest_membudget.units import MIB

_SECONDS = 3600
_COLUMNS = ("migration", "verdict", "projected", "low", "high", "truth", "seconds")


def projected(project: Project, folder: Path, database: str) -> list[Result]:
    """The verdicts that rest on a projection, the quickest to measure first."""
    path = folder / f"{project.name}_{database}.json"
    found = read_document(str(path)).results if path.exists() else ()
    chosen = [
        one
        for one in found
        if one.basis == Basis.PROJECTED and one.verdict in (Verdict.WITHIN, Verdict.EXCEEDS)
    ]
    return sorted(chosen, key=lambda one: one.projected_duration_s or 0.0)


def measured(project: Project, label: str, database: str, folder: Path) -> Result | None:
    """The same check without a limit, if a sample had production's row count."""
    arguments = (
        f"--membudget-gate={label}",
        "--membudget-limit=64Gi",
        f"--membudget-time-budget={_SECONDS}",
    )
    alone = replace(project, name="truth", arguments=(*project.arguments, *arguments))
    found = [one for one in run(alone, database, folder) if one.basis == Basis.MEASURED]
    return next(iter(found), None)


def row_of(one: Result, truth: Result, seconds: float) -> dict[str, Any]:
    sizes = (one.peak_bytes, one.peak_low_bytes, one.peak_high_bytes, truth.peak_bytes)
    figures = [None if size is None else round(size / MIB) for size in sizes]
    return dict(zip(_COLUMNS, (one.migration, one.verdict, *figures, round(seconds)), strict=True))


def rows(options: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each with whether the verdict was wrong."""
    kept = Path(options.folder).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        projects = SETS[options.set](kept, Path(scratch))
        chosen = [(it, one) for it in projects for one in projected(it, kept, options.database)]
        chosen.sort(key=lambda pair: pair[1].projected_duration_s or 0.0)
        for project, one in chosen[: options.most]:
            begin = time.monotonic()
            truth = measured(project, one.migration, options.database, Path(scratch))
            if truth is not None:
                exceeds = (truth.peak_bytes or 0) > one.limit_bytes
                wrong = exceeds != (one.verdict == Verdict.EXCEEDS)
                yield row_of(one, truth, time.monotonic() - begin), wrong


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=("packages", "applications"))
    parser.add_argument("folder", help="the results that decided.py has kept")
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--most", type=int, default=20)
    options = parser.parse_args()
    found = []
    print(f"| {' | '.join(_COLUMNS)} |\n| --- | --- |{' --: |' * (len(_COLUMNS) - 2)}")
    for row, wrong in rows(options):
        found.append({**row, "wrong": wrong})
        print(f"| {' | '.join(map(str, row.values()))} |{' WRONG' * wrong}", flush=True)
    path = RESULTS / f"truths_{options.set}_{options.database}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(one["wrong"] for one in found))


if __name__ == "__main__":
    main()
