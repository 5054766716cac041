"""Hold what a check projects against the peak really measured at production's row count.

Run it from the root of the repository:

    python benchmarks/accuracy.py [-k REGEX] [--limits 0.8 0.9 1.1 1.25] [--fresh]
    python benchmarks/accuracy.py --short

For each body of benchmarks/bodies the migration is applied to doubling row counts up to
production's, with no limit and no deadline; then it is checked as a test would be, with limits
around the truth.  The figures are kept in benchmarks/results; what is there is not measured again
unless --fresh.  --short takes a few bodies and a sixth of the time budget, more on a slow machine,
keeps nothing, and exits with 1 where a verdict is wrong, a figure that a verdict rests on is off,
an interval misses the truth, or too many checks are inconclusive.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from cases import Case, cases
from goals import CLOSE_IN_SHORT, is_close, is_covered, is_wrong
from lab import RESULTS, VENDOR, apply, bed_of, check_case, circumstances, curve, open_servers

from pytest_membudget.judge.result import SampleFigures
from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.sample import Phase, Run, Sample
from pytest_membudget.units import MIB

LIMITS = (0.8, 0.9, 1.1, 1.25)
FACTS = ("oldest_collections", "cyclic_objects")
SHORT = (
    "articles.0002_loop_over_all",
    "readings.0003_iterator",
    "readings.0005_buffer_flushed_at_50_000",
    "readings.0006_dict_of_codes",
)
SHORT_SECONDS = 10.0
SHORT_ROWS = 400_000
# Of eight, on a machine that may be busy.
SHORT_INCONCLUSIVE = 3


def measure(
    case: Case, limits: Sequence[float], kept: dict[str, Any], servers: ServerClients
) -> None:
    """Fill ``kept`` with the curve and the checks of a case, where they are not there yet."""
    if "curve" not in kept:
        kept["rows"] = case.rows
        kept["curve"] = [_sample(one) for one in curve(case, servers)]
    truth = kept["curve"][-1]["peak"]
    for share in limits:
        if str(share) not in kept.setdefault("checks", {}):
            kept["checks"][str(share)] = one = check(case, round(truth * share), servers)
            print(f"{case.migration} at {share}: {summary(one, truth)}", flush=True)


def check(case: Case, limit: int, servers: ServerClients, **arguments: Any) -> dict[str, Any]:
    result = check_case(case, limit, servers, **arguments)
    names = "verdict basis peak_bytes peak_low_bytes peak_high_bytes growth limit_bytes"
    names += " duration_s projected_duration_s"
    figures = result.to_dict()
    return {
        **{name: figures[name] for name in names.split()},
        "findings": sorted({finding.code for finding in result.findings}),
        "samples": [_figures(sample) for sample in result.samples],
    }


def _sample(sample: Sample) -> dict[str, Any]:
    run = sample.run
    marks = {_short(phase): marks for phase, marks in run.phases.items()}
    further = {"phases": marks, "read": run.read, "facts": _facts(run)}
    return {**_figures(SampleFigures.of(sample)), **further}


def _figures(sample: SampleFigures) -> dict[str, Any]:
    return {
        "rows": sample.size,
        "peak": sample.peak_bytes,
        "baseline": sample.baseline_bytes,
        "outcome": sample.outcome,
        "duration": sample.duration_s,
        "startup": sample.startup_s,
        "seeding": sample.seed_s,
    }


def _short(phase: Phase) -> str:
    """A name of a phase that stays the same from run to run."""
    return f"{crc32((phase.migration + phase.statement).encode()):08x}"


def _facts(run: Run) -> dict[str, Any]:
    """What the projection goes by, beside the peaks."""
    known = {name: getattr(run.facts, name) for name in FACTS}
    return {name: value for name, value in known.items() if value is not None}


def summary(one: dict[str, Any], truth: int) -> str:
    names = ("peak_low_bytes", "peak_bytes", "peak_high_bytes")
    low, peak, high = (f"{one[name] / MIB:.1f}" if one[name] else "?" for name in names)
    return (
        f"{one['verdict']}, {peak} ({low}-{high}) of {truth / MIB:.1f} MiB in "
        f"{one['duration_s']:.0f} s, largest {one['samples'][-1]['rows']:,}"
    )


def run_all(pattern: str, limits: Sequence[float], path: Path, *, fresh: bool) -> None:
    again = fresh and not pattern
    document = json.loads(path.read_text()) if path.exists() and not again else {"cases": {}}
    with open_servers() as servers:
        for case in cases():
            if re.search(pattern, case.migration):
                now = circumstances(servers)
                whole = document.setdefault("circumstances", now)
                kept = {} if fresh else document["cases"].get(case.migration, {})
                document["cases"][case.migration] = kept
                measure(case, limits, kept, servers)
                if now != whole:
                    kept["circumstances"] = now
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(document, indent=1) + "\n")


def run_short() -> bool:
    """Whether a few bodies at a sixth of the time budget meet the goals."""
    met, inconclusive = True, 0
    with open_servers() as servers:
        for case in cases():
            if case.migration not in SHORT:
                continue
            small = case.with_at_most(SHORT_ROWS)
            with bed_of(small, servers) as seeded:
                seeded.fill(small.size)
                # Pages that the kernel takes away meanwhile make a peak too low, never too high.
                runs = [apply(small, seeded, seeded.clone()) for _ in range(2)]
            truth = max(run.peak for run in runs)
            # A slow machine takes longer for the same rows.
            seconds = max(SHORT_SECONDS, min(8 * runs[0].duration, 4 * SHORT_SECONDS))
            for share in (0.9, 1.1):
                limit = round(truth * share)
                one = check(small, limit, servers, time_budget=seconds)
                unsure = one["verdict"] == "inconclusive"
                inconclusive += unsure
                good = not is_wrong(one, share) and is_covered(one, truth)
                good &= unsure or is_close(one, truth, CLOSE_IN_SHORT)
                met &= good
                print(f"{case.migration} at {share}: {summary(one, truth)}", end="")
                print("" if good else ": MISSED", flush=True)
    return met and inconclusive <= SHORT_INCONCLUSIVE


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", default="", metavar="REGEX", help="only the cases that match it")
    parser.add_argument("--limits", type=float, nargs="*", default=LIMITS, metavar="SHARE")
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--short", action="store_true", help="a few bodies, nothing is kept")
    options = parser.parse_args()
    if options.short:
        return 0 if run_short() else 1
    run_all(options.k, options.limits, RESULTS / f"accuracy_{VENDOR}.json", fresh=options.fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
