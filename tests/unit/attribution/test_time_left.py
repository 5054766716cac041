"""An explanation ends with its time: fewer rows, fewer steps, and a note of what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_membudget.attribution.case import Case
from pytest_membudget.attribution.growth import MALLOC, Alive, HighWater, Stack
from pytest_membudget.attribution.investigation import investigate
from pytest_membudget.attribution.kept import of_kept_rows
from pytest_membudget.attribution.runs import Runs, Unfinished
from pytest_membudget.attribution.sites import HELD_BY_CACHE, Site
from pytest_membudget.attribution.time_left import TimeLeft
from pytest_membudget.attribution.trials import Trials, described
from pytest_membudget.budget.request import Budget
from pytest_membudget.errors import OutOfBudget
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Database, Evidence
from pytest_membudget.judge.explanation import Attribution
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.messages.job import DEFER, STREAM, Rewrite
from pytest_membudget.sample import Outcome, Run, Sample


def time_left(seconds: float, durations: dict[int, float]) -> TimeLeft:
    samples = tuple(
        Sample(
            {"shop.Order": rows},
            Run(Outcome.FINISHED, 100, baseline=40, duration=duration, startup=0.1),
            seed_seconds=0.1,
        )
        for rows, duration in durations.items()
    )
    keys = (("shop", "0002_it"),)
    budget = Budget(keys, {"shop.Order": 1_600_000}, 50, "marker")
    evidence = Evidence(budget, False, samples=samples, database=Database("default", "sqlite"))
    return TimeLeft(evidence, Deadline(seconds))


def runs(time: TimeLeft) -> Runs:
    unused: Any = None
    return Runs(time.evidence, unused, (), unused, time)


SLOW = {1_563: 1.5, 3_125: 3.0, 6_250: 6.0}
# How many rows are looked at in so many seconds, by what the samples took.
SIZES: dict[str, tuple[float, dict[int, float], int]] = {
    "many but quick": (60, {1_563: 0.02, 25_000: 0.3, 50_000: 0.6, 100_000: 1.2}, 100_000),
    "fewer where these take long": (60, {1_563: 0.1, 25_000: 2.0, 50_000: 4.0}, 25_000),
    "fewer where little time is left": (20, {1_563: 0.1, 25_000: 2.0, 50_000: 4.0}, 12_500),
    "more than any sample": (60, {1_563: 0.1}, 6_252),
    "fewer than any sample": (20, SLOW, 781),
    "as much as there is time for": (3_000, SLOW, 6_250),
    "slow, with much time": (3_000, {1_563: 30.0}, 1_563),
}


@pytest.mark.parametrize(("seconds", "durations", "size"), SIZES.values(), ids=SIZES)
def test_so_many_rows_are_looked_at(seconds: float, durations: dict[int, float], size: int) -> None:
    assert runs(time_left(seconds, durations)).size() == size


def test_no_time_for_two_runs() -> None:
    time = time_left(1, SLOW)
    with pytest.raises(OutOfBudget):
        runs(time).size()


def test_rows_that_look_like_growth_are_noted() -> None:
    time = time_left(20, SLOW)
    runs(time).size()
    assert "left no time for runs with more than 781 rows; run" in time.note()


class Clock(Deadline):
    """One whose time passes when it is said to."""

    passed = 0.0

    def spent(self) -> float:
        return self.passed


@dataclass
class Captures(Runs):
    """Runs of which each takes so many seconds a row, and finds an object of 1,000 bytes a row."""

    seconds: float = 0.0
    ends: Exception = field(default_factory=lambda: OutOfBudget("it did not finish"))
    sizes: list[int] = field(default_factory=list)

    def start_anew(self) -> None:
        """There is no database."""

    def captured(self, size: int) -> HighWater:
        clock = self.time.deadline
        assert isinstance(clock, Clock)
        clock.passed += self.seconds * size
        if clock.left() < 0:
            raise OutOfBudget("it did not finish")
        self.sizes.append(size)
        return {(("forwards", "shop/migrations/0002_it.py", 9),): Alive(MALLOC, 1000 * size, size)}

    def run(self, size: int, *, digest: bool = False, **probes: Any) -> Any:
        raise self.ends


# What is captured if a row takes so long under memray, and what there is no time for.
CAPTURED: dict[str, tuple[float, list[int], str]] = {
    "as expected": (0.005, [3_125, 6_250], "advice"),
    "slower": (0.008, [3_125, 1_562], "runs with more than 3,125 rows and advice"),
    "much slower": (0.02, [], "growth by line and advice"),
}


def investigated(seconds: float, **settings: Any) -> tuple[Captures, Attribution]:
    time = time_left(60, {1_563: 0.5, 3_125: 1.0, 6_250: 2.0})
    time.deadline = Clock(48)
    unused: Any = None
    runs = Captures(time.evidence, unused, (), unused, time, seconds, **settings)
    return runs, investigate(Assessment(time.evidence), runs, lambda _: None, None)


@pytest.mark.parametrize(("seconds", "sizes", "missing"), CAPTURED.values(), ids=CAPTURED)
def test_lines_are_had_also_where_memray_takes_longer(
    seconds: float, sizes: list[int], missing: str
) -> None:
    runs, found = investigated(seconds)
    assert runs.sizes == sizes
    assert [line.bytes_per_row for line in found.attribution if line.line] == [1000] * bool(sizes)
    assert f"left no time for {missing}; run" in (found.attribution_note or "")


def test_lines_are_had_also_where_advice_fails() -> None:
    _, found = investigated(0.001, ends=Unfinished("with 6,250 rows it was killed"))
    assert [line.bytes_per_row for line in found.attribution if line.line] == [1000]
    note = found.attribution_note or ""
    assert note.endswith("; there is no advice: with 6,250 rows it was killed")


def test_what_was_left_out_is_noted_once() -> None:
    time = time_left(40, SLOW)
    assert time.note() == ""
    assert time.allows("growth by line", 30)
    with time.bound("advice"):
        raise OutOfBudget("it did not finish within 3 s")
    assert not time.allows("trying defer()", 60)
    assert not time.allows("trying defer()", 60)
    assert time.note() == (
        "the time budget of 40 s left no time for advice and trying defer(); run `membudget "
        "explain FILE shop.0002_it` with the JSON file of this run, or raise the time budget"
    )


def test_what_was_not_tried_is_not_judged() -> None:
    """Pages are advised where streaming does not help, which is not known without the trial."""
    file, line = "shop/migrations/0002_it.py", 9
    frames = (("__iter__", "/django/db/models/query.py", 1), ("forwards", file, line))
    site = Site(("forwards", file, line), None, HELD_BY_CACHE)
    evidence = time_left(60, {25_000: 1.0}).evidence
    case = Case(
        assessment=Assessment(evidence),
        by_site={site: [Stack(MALLOC, frames, 1000, 1, 0)]},
        measured=1000,
        peak=None,
        baseline=40,
        sample=evidence.samples[0],
    )
    stream, defer = Rewrite(STREAM, file, line), Rewrite(DEFER, file, line)
    assert described(stream) == f"trying iterator() at {file}:{line}"
    assert [one.code for one in of_kept_rows(case, Trials([]))] == ["pages"]
    assert [one.code for one in of_kept_rows(case, Trials([], [defer]))] == ["pages"]
    assert [*of_kept_rows(case, Trials([], [stream]))] == []
