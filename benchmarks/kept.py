"""Hold the lower bound that rests on what a few rows keep against the truth.

    python benchmarks/kept.py [-k REGEX]

Each body is applied to at most 12,500 rows, as if there were no time for more.  The lower bound of
its projection must not be above the peak really measured at production's row count, which
accuracy.py has kept.  Exits with 1 where one is.
"""

from __future__ import annotations

import json
import math
import re
import sys
from argparse import ArgumentParser
from dataclasses import replace

from cases import Case, cases
from lab import RESULTS, VENDOR, apply, bed_of, open_servers, plan

from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.sample import Sample
from pytest_membudget.units import MIB

_FIRST = 1_500
_SAMPLES = 4
# Between machines and Python versions a process differs by so much.
_OTHER_MACHINE = 4 * MIB


def evidence(case: Case, servers: ServerClients) -> Evidence:
    asked, samples = plan(case.migration, case.rows, 1 << 50), []
    smallest = round(math.log2(case.size / _FIRST))
    with bed_of(case, servers) as seeded:
        for exponent in range(smallest, max(-1, smallest - _SAMPLES), -1):
            size = -(-case.size // 2**exponent)
            seeded.fill(size)
            name = seeded.clone()
            samples.append(Sample(seeded.rows(size), apply(case, seeded, name)))
            seeded.drop(name)
        return Evidence(
            asked.budget,
            asked.touches_rows,
            asked.named_numbers,
            asked.branches,
            tables=seeded.tables,
            samples=tuple(samples),
        )


def without(evidence: Evidence) -> Evidence:
    """The same if it were not known what is kept."""
    return replace(
        evidence,
        samples=tuple(
            replace(one, run=replace(one.run, facts=replace(one.run.facts, kept_blocks=None)))
            for one in evidence.samples
        ),
    )


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("-k", default="", metavar="REGEX", help="these bodies alone")
    options = parser.parse_args()
    known = json.loads((RESULTS / f"accuracy_{VENDOR}.json").read_text())["cases"]
    wrong = 0
    print("| body | rows | lower bound | without what is kept | truth |")
    print("| --- | --: | --: | --: | --: |")
    with open_servers() as servers:
        for case in (one for one in cases() if re.search(options.k, one.migration)):
            whole, truth = evidence(case, servers), known[case.migration]["curve"][-1]["peak"]
            for count in range(2, len(whole.samples) + 1):
                part = replace(whole, samples=whole.samples[:count])
                found, before = Estimate(part).projection, Estimate(without(part)).projection
                if found is None or before is None or found.low <= before.low:
                    continue
                wrong += found.low > truth + _OTHER_MACHINE
                sizes = [f"{one / MIB:.0f}" for one in (found.low, before.low, truth)]
                rows = part.samples[-1].size
                print(f"| {case.migration} | {rows:,} | {' | '.join(sizes)} |", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
