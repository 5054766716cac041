"""What checks would have said of the kept curves, had each row taken longer.

    python benchmarks/replay.py [--slower 1 3 10 30]

The loop of a check runs over the samples that accuracy.py kept, on a clock of their own durations
times a factor: the slower a migration is, the farther its peak has to be projected.  It takes no
measurement, so it tells in seconds what a change to the ladder or the projection does, and exits
with 1 when a verdict is wrong at the durations as they were.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goals import is_close, is_covered, is_wrong
from lab import RESULTS, plan
from rich import box
from rich.console import Console
from rich.table import Table

from pytest_membudget.check.climb import climb
from pytest_membudget.check.conclude import conclude
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Database, Evidence
from pytest_membudget.sample import Facts, Outcome, Phase, Run, Sample

LIMITS = (0.8, 0.9, 1.1, 1.25)
ROOM = 1e18
BETWEEN_SAMPLES = 0.1
_ITERATOR_CHUNK = 2_000


def sample_of(one: dict[str, Any]) -> Sample:
    """A sample as accuracy.py keeps it in a curve."""
    run = Run(
        Outcome(one["outcome"]),
        one["peak"],
        one["baseline"],
        duration=one["duration"],
        startup=one["startup"],
        read=one["read"],
        phases={Phase("", name): tuple(marks) for name, marks in one["phases"].items()},
        facts=Facts(**one.get("facts", {})),
    )
    return Sample({"": one["rows"]}, run, seed_seconds=one["seeding"])


class NotKept(Exception):
    """The loop asked for a row count that the curve leaves out."""


@dataclass
class Recording:
    """Stands in for the measuring: gives the kept samples, and tells the time they took."""

    evidence: Evidence
    samples: dict[int, Sample]
    slower: float
    now: float = 0.0

    def measure(self, evidence: Evidence, size: int, _: float) -> tuple[Evidence, float]:
        self.evidence = evidence
        if size not in self.samples:
            raise NotKept
        kept = self.samples[size]
        run = replace(kept.run, duration=kept.run.duration * self.slower)
        self.now += kept.seed_seconds + run.startup + run.duration + BETWEEN_SAMPLES
        return evidence.with_sample(replace(kept, run=run)), ROOM

    def clock(self) -> float:
        return self.now


def replayed(migration: str, case: dict[str, Any], share: float, slower: float) -> dict[str, Any]:
    """What the check would have said, with the keys of the JSON report."""
    samples = {one["rows"]: sample_of(one) for one in case["curve"]}
    limit = round(case["curve"][-1]["peak"] * share)
    asked = plan(migration, case["rows"], limit)
    # The curves were kept without the sizes in which rows were fetched.
    streams = "iterator(" in Path(asked.files[0]).read_text()
    numbers = [*asked.named_numbers, *([_ITERATOR_CHUNK] if streams else [])]
    database = Database("default")
    rows = asked.budget.rows
    tables = {label: label.lower().replace(".", "_") for label in rows}
    evidence = Evidence(
        asked.budget, False, numbers, asked.branches, database, tables, explains=True
    )
    scaled = {size: replace(one, rows=dict.fromkeys(rows, size)) for size, one in samples.items()}
    recording = Recording(evidence, scaled, slower)
    try:
        assessment = climb(evidence, recording.measure, recording.clock)
    except NotKept:
        assessment = Assessment(recording.evidence)
    figures = conclude(assessment, migration, "").to_dict()
    return {**figures, "findings": [finding["code"] for finding in figures["findings"]]}


def kept_cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(RESULTS.glob("accuracy_*.json")):
        for migration, case in json.loads(path.read_text())["cases"].items():
            if case["curve"][-1]["outcome"] == Outcome.FINISHED:
                yield migration, case


def row(slower: float) -> dict[str, int]:
    counts = dict.fromkeys(("checks", "wrong", "inconclusive", "figures", "close", "covered"), 0)
    for migration, case in kept_cases():
        truth = case["curve"][-1]["peak"]
        for share in LIMITS:
            one = replayed(migration, case, share, slower)
            figure = one["peak_low_bytes"] is not None
            counts["checks"] += 1
            counts["wrong"] += is_wrong(one, share)
            counts["inconclusive"] += one["verdict"] == "inconclusive"
            counts["figures"] += figure
            counts["close"] += figure and is_close(one, truth)
            counts["covered"] += figure and is_covered(one, truth)
    return counts


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slower", type=float, nargs="*", default=(1, 3, 10, 30), metavar="TIMES")
    options = parser.parse_args()
    shown = Table(title="Verdicts and figures, by how much slower each row was", box=box.MARKDOWN)
    found = {slower: row(slower) for slower in options.slower}
    shown.add_column("slower")
    for name in next(iter(found.values())):
        shown.add_column(name, justify="right")
    for slower, counts in found.items():
        shown.add_row(f"{slower:g} ×", *map(str, counts.values()))
    Console(width=120).print(shown)
    return 1 if found.get(1, {}).get("wrong") else 0


if __name__ == "__main__":
    sys.exit(main())
