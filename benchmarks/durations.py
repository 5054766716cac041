"""Hold the projected duration and the server's memory against those measured at full size.

    python benchmarks/durations.py [-k REGEX] [--rows 400_000] [--time-budget 15] [--keep]

Each body is applied to all of its rows, or as many as --rows allows, and then checked.  The less of
the time budget that takes, the more has to be projected.  The goals are a duration within 25 % in
80 % of the checks, and within its interval in 95 %; the server's memory within 10 %.  The command
exits with 1 where the durations miss theirs.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from dataclasses import dataclass

from cases import Case, cases
from lab import apply, bed_of, check_case, keep, open_servers

from pytest_membudget.judge.result import Result
from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.sample import Run
from pytest_membudget.units import MIB

CLOSE, CLOSE_ON_SERVER = 0.25, 0.10
OFTEN, COVERED = 0.80, 0.95
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
    def server(self) -> float | None:
        peak, truth = self.found.server_peak_bytes, self.truth.server_peak
        return None if peak is None or truth is None else peak / truth

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
        if self.server is not None and truth.server_peak is not None:
            text += f"; server {truth.server_peak / MIB:.1f} MiB, {self.server:.0%}"
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
    parser.add_argument("--keep", action="store_true", help="keep the figures in results/")
    options = parser.parse_args()
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
    on_server = [one.server for one in held if one.server is not None]
    near = sum(abs(share - 1) <= CLOSE_ON_SERVER for share in on_server)
    print(f"duration within {CLOSE:.0%}: {close} of {len(far)}; within its interval: {covered}")
    print(f"server's memory within {CLOSE_ON_SERVER:.0%}: {near} of {len(on_server)}")
    return 0 if close >= OFTEN * len(far) and covered >= COVERED * len(far) else 1


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
