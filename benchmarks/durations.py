"""Hold the projected duration and the server's memory against those measured at full size.

    python benchmarks/durations.py [-k REGEX] [--rows 400_000] [--time-budget 15] [--keep]
    python benchmarks/durations.py --kept

Each body is applied to all of its rows, or as many as --rows allows, and then checked.  The less of
the time budget that takes, the more has to be projected.  The goals are a duration within 25 % in
80 % of the checks, and within its interval in 95 %; the server's memory within 10 % or 6 MiB.  The
command exits with 1 where the durations miss theirs.  --kept takes no measurement: it projects the
durations of the curves that accuracy.py kept from their first samples, over 4 to 64 times as many
rows.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from dataclasses import dataclass

from cases import Case, cases
from lab import apply, bed_of, check_case, keep, open_servers
from replay import kept_cases, sample_of

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.duration import Duration
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.limited_figure import ENOUGH
from pytest_membudget.judge.result import Result
from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.sample import Run
from pytest_membudget.units import MIB, format_size

CLOSE, CLOSE_ON_SERVER, CLOSE_BYTES = 0.25, 0.10, 6 * MIB
OFTEN, COVERED = 0.80, 0.95
TIMES = (4, 8, 16, 32, 64)
_LEAST_SECONDS = 1.0
_NO_LIMIT = 1 << 50


@dataclass(frozen=True)
class Held:
    """A check beside the truth of it."""

    case: Case
    truth: Run
    found: Result

    @property
    def duration(self) -> float:
        return (self.found.projected_duration_s or 0.0) / self.truth.duration

    @property
    def is_close(self) -> bool:
        return abs(self.duration - 1) <= CLOSE

    @property
    def is_covered(self) -> bool:
        low, high = self.found.projected_duration_low_s, self.found.projected_duration_high_s
        above = low is not None and low <= self.truth.duration
        return above and (high is None or self.truth.duration <= high)

    @property
    def is_close_on_server(self) -> bool | None:
        """None where it can't be seen."""
        peak, truth = self.found.server_peak_bytes, self.truth.server_peak
        if peak is None or truth is None:
            return None
        return abs(peak - truth) <= max(CLOSE_ON_SERVER * truth, CLOSE_BYTES)

    @property
    def times(self) -> float:
        """By how much fewer rows the largest sample had."""
        return self.case.size / max(one.size for one in self.found.samples)

    def __str__(self) -> str:
        found, truth = self.found, self.truth
        text = (
            f"{self.case.migration}: {found.projected_duration_s:.1f} "
            f"({found.projected_duration_low_s}-{found.projected_duration_high_s}) of "
            f"{truth.duration:.1f} s, {self.duration:.0%}, from 1/{self.times:.0f} of the rows"
        )
        if found.server_peak_bytes is not None and truth.server_peak is not None:
            text += (
                f"; server {format_size(found.server_peak_bytes)} of "
                f"{format_size(truth.server_peak)}"
            )
        return text if self.is_covered else f"{text}: NOT COVERED"


def hold(case: Case, time_budget: float, servers: ServerClients) -> Held:
    with bed_of(case, servers) as seeded:
        seeded.fill(case.size)
        truth = apply(case, seeded, seeded.clone())
    # A limit at the truth, so that the check takes the time that it has.
    limits = {"max_duration": max(truth.duration, 0.01), "time_budget": time_budget}
    return Held(case, truth, check_case(case, _NO_LIMIT, servers, **limits))


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", default="", metavar="REGEX", help="only the cases that match it")
    parser.add_argument("--rows", type=int, default=1_600_000)
    parser.add_argument("--time-budget", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--kept", action="store_true", help="of the curves in results/")
    parser.add_argument("--keep", action="store_true", help="keep the figures in results/")
    options = parser.parse_args()
    if options.kept:
        return of_kept_curves()
    held = []
    with open_servers() as servers:
        for case in cases():
            if re.search(options.k, case.migration):
                one = hold(case.with_at_most(options.rows), options.time_budget, servers)
                print(one, flush=True)
                held.append(one)
        if options.keep:
            keep("durations", [_figures(one) for one in held], servers)
    far = [one for one in held if one.times > 1 and one.truth.duration > _LEAST_SECONDS]
    close, covered = sum(one.is_close for one in far), sum(one.is_covered for one in far)
    on_server = [one.is_close_on_server for one in held if one.is_close_on_server is not None]
    print(f"duration within {CLOSE:.0%}: {close} of {len(far)}; within its interval: {covered}")
    print(f"server's memory within {CLOSE_ON_SERVER:.0%}: {sum(on_server)} of {len(on_server)}")
    return 0 if close >= OFTEN * len(far) and covered >= COVERED * len(far) else 1


def of_kept_curves() -> int:
    close, covered = dict.fromkeys(TIMES, 0), dict.fromkeys(TIMES, 0)
    count = dict.fromkeys(TIMES, 0)
    for migration, case in kept_cases():
        *curve, whole = map(sample_of, case["curve"])
        truth = whole.run.duration
        budget = Budget((("", migration),), {"": whole.size}, _NO_LIMIT, "")
        for times in TIMES:
            first = tuple(one for one in curve if one.size <= 1.01 * whole.size / times)
            if truth < _LEAST_SECONDS or len(first) < ENOUGH:
                continue
            found = Duration(Evidence(budget, False, samples=first)).projection
            assert found is not None
            count[times] += 1
            close[times] += 1 / (1 + CLOSE) <= found.value / truth <= 1 + CLOSE
            covered[times] += found.low <= truth <= found.high
    for times in TIMES:
        print(
            f"{times:3} times as many rows: {close[times]} of {count[times]} within a factor of "
            f"{1 + CLOSE}, {covered[times]} in their interval"
        )
    every = sum(count.values())
    print(f"all: {sum(close.values())} and {sum(covered.values())} of {every}")
    return 0 if sum(covered.values()) >= 0.94 * every else 1


def _figures(one: Held) -> dict[str, object]:
    names = ("projected_duration_s", "projected_duration_low_s", "projected_duration_high_s")
    figures = one.found.to_dict()
    return {
        "migration": one.case.migration,
        "rows": one.case.size,
        "duration": one.truth.duration,
        "server_peak": one.truth.server_peak,
        "times": one.times,
        **{name: figures[name] for name in (*names, "server_peak_bytes", "verdict")},
    }


if __name__ == "__main__":
    sys.exit(main())
