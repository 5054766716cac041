"""Hold every projection of the example project against the peak really measured at full size.

Run it from the root of the repository, with the arguments that pytest takes:

    python benchmarks/full_size.py [-k blog] [--json benchmarks/results/full_size.json]

For each test of the example project the check runs as it does for a user; then the same
migration is applied once at production's own row count, with no limit and no deadline.
EXAMPLE_DATABASE=postgresql with PGHOST and its like measures on that server.
"""

from __future__ import annotations

import json
import platform
import sys
from argparse import ArgumentParser
from collections.abc import Generator
from pathlib import Path
from typing import Any

import django
import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from pytest_membudget.measurement import Run
from pytest_membudget.plugin import guard_key
from pytest_membudget.projection import MIB
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.session import Subject
from pytest_membudget.worker.launcher import run
from pytest_membudget.worker.stage_client import Stages

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_END = 24 * 3600.0
GOAL_SHARE, GOAL_BYTES = 0.05, 8 * MIB


def apply_at_full_size(subject: Subject, stages: Stages) -> Run:
    """Seed production's row counts and apply the migration, whatever it takes."""
    budget = subject.budget
    stage = stages.get(budget.database)
    bed = Seedbed(stage, budget, subject.applied)
    try:
        bed.fill(max(budget.rows.values()))
        order = subject.order(bed, bed.clone(), deadline=WITHOUT_END, stop_above=sys.maxsize)
        return run(order)
    finally:
        bed.close()


class FullSize:
    """A pytest plugin: after each check, the truth."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._known: dict[str, Run] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        try:
            yield
        finally:
            guard = item.stash.get(guard_key, None)
            if guard is not None and guard.result is not None:
                self._compare(item, guard.subject, guard.stages, guard.result.to_dict())

    def _compare(
        self, item: pytest.Item, subject: Subject, stages: Stages, result: dict[str, Any]
    ) -> None:
        if result["peak_low_bytes"] is None:
            return
        settings = [name for name in getattr(item, "fixturenames", ()) if name != "request"]
        key = f"{result['migration']} {result['rows']} {settings}"
        truth = self._known.get(key) or apply_at_full_size(subject, stages)
        self._known[key] = truth
        names = ("migration", "rows", "database", "basis", "growth", "verdict", "limit_bytes")
        names += ("peak_bytes", "peak_low_bytes", "peak_high_bytes", "projected_duration_s")
        self.rows.append(
            {
                **{name: result[name] for name in names},
                "test": item.nodeid,
                "check_s": round(result["duration_s"], 1),
                "largest_sample": max(max(one["rows"].values()) for one in result["samples"]),
                "true_peak_bytes": truth.peak,
                "true_duration_s": round(truth.duration, 1),
                "true_outcome": truth.outcome,
            }
        )


def table(rows: list[dict[str, Any]]) -> Table:
    shown = Table(title="Peaks in MiB, projected and measured at full size", box=box.MARKDOWN)
    for name in ("migration", "rows", "largest sample", "projected", "interval", "measured"):
        shown.add_column(name, justify="left" if name == "migration" else "right")
    for name in ("error", "goal", "check", "full run"):
        shown.add_column(name, justify="right")
    for row in rows:
        truth = row["true_peak_bytes"]
        error = row["peak_bytes"] - truth
        shown.add_row(
            row["migration"],
            f"{max(row['rows'].values()):,}",
            f"{row['largest_sample']:,}",
            f"{row['peak_bytes'] / MIB:.1f}",
            f"{row['peak_low_bytes'] / MIB:.0f}–{row['peak_high_bytes'] / MIB:.0f}",
            f"{truth / MIB:.1f}",
            f"{error / truth:+.1%}",
            "met" if is_met(row) else "missed",
            f"{row['check_s']:.0f} s",
            f"{row['true_duration_s']:.0f} s",
        )
    return shown


def is_met(row: dict[str, Any]) -> bool:
    truth = row["true_peak_bytes"]
    return bool(abs(row["peak_bytes"] - truth) <= max(GOAL_SHARE * truth, GOAL_BYTES))


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options, arguments = parser.parse_known_args()
    plugin = FullSize()
    example = ROOT / "example_project"
    pytest.main(["-c", str(example / "pytest.ini"), str(example), "-q", *arguments], [plugin])
    Console(width=160).print(table(plugin.rows))
    if options.json:
        environment = {
            "python": platform.python_version(),
            "django": django.get_version(),
            "platform": platform.platform(),
        }
        document = {"environment": environment, "rows": plugin.rows}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if plugin.rows and all(map(is_met, plugin.rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
