"""Which row count next: on samples of migrations that take so long and weigh so much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.judge.ladder import Ladder, Outlook
from pytest_membudget.sample import Outcome, Run, Sample


def climb(
    rows: int,
    seconds: Callable[[int], float],
    *,
    budget: float = 60,
    startup: float = 0.5,
    decided_after: int = 99,
    past: int | None = None,
    largest: float = float("inf"),
    explains: bool = False,
    **outlook: Any,
) -> tuple[list[int], float]:
    """The sizes that the ladder asks for, and the seconds that they took together.

    The last one ends at its deadline when it takes longer than what is left, as in a check.
    """
    ladder = Ladder(rows, budget, explains=explains)
    known = {"narrow": True, "exceeds": False, "crossing": None, **outlook}
    samples: list[Sample] = []
    spent = 0.0
    size: int | None = ladder.first()
    while size is not None:
        run = Run(Outcome.FINISHED, 0, duration=min(seconds(size), budget - spent), startup=startup)
        grown = size - (samples[-1].size if samples else 0)
        samples.append(Sample({"shop.Order": size}, run, seed_seconds=grown * 5e-6))
        spent += run.duration + run.startup
        if run.duration < seconds(size):
            break
        ahead = past if past is not None and size <= past else None
        decided = Outlook(decided=len(samples) >= decided_after, past=ahead, **known)
        size = ladder.next(samples, spent, decided, largest)
    return [sample.size for sample in samples], spent


LARGE = 3_200_000
CROSSED = {"decided_after": 4, "crossing": 1_100_000}
LAST_SIZES: dict[str, tuple[int, float, dict[str, Any], list[int]]] = {
    "a stream, to production": (1_600_000, 3e-6, {}, [1_563, 50_000, 100_000, 200_000, 1_600_000]),
    "few rows, in two steps": (400, 2e-5, {"decided_after": 2}, [100, 400]),
    "very few rows": (5, 2e-3, {}, [5]),
    "to where the limit is passed, if cheap": (LARGE, 1e-6, CROSSED, [400_000, 1_600_000]),
    "not if it exceeds already": (LARGE, 1e-6, {**CROSSED, "exceeds": True}, [200_000, 400_000]),
    "never more than there is room for": (1_600_000, 1e-6, {"largest": 150_000}, [100_000]),
    "past a number in the code": (1_600_000, 1e-5, {"past": 500_000}, [200_000, 1_600_000]),
    "step by step": (1_600_000, 4e-5, {"past": 150_000}, [100_000, 200_000, 400_000]),
    "in one step": (1_600_000, 1.7e-4, {"past": 150_000}, [25_000, 200_000]),
}


@pytest.mark.parametrize(
    ("rows", "seconds_a_row", "settings", "last"), LAST_SIZES.values(), ids=LAST_SIZES
)
def test_how_far_it_climbs(
    rows: int, seconds_a_row: float, settings: dict[str, Any], last: list[int]
) -> None:
    sizes, spent = climb(rows, lambda size: size * seconds_a_row, **settings)
    assert sizes[-len(last) :] == last
    assert spent <= 60


def test_a_slow_start_is_paid_for_each_sample_and_not_for_its_rows() -> None:
    sizes, spent = climb(200_000, lambda size: size * 1e-4, startup=8, decided_after=4)
    assert sizes[:2] == [1_563, 6_250]
    assert spent < 60


def test_every_size_is_productions_over_a_power_of_two() -> None:
    sizes, _ = climb(1_700_000, lambda rows: rows * 1e-4, decided_after=5)
    assert all(any(size == -(-1_700_000 // 2**k) for k in range(12)) for size in sizes)


def test_a_slow_migration_stops_when_the_verdict_is_there() -> None:
    sizes, spent = climb(1_700_000, lambda rows: rows * 1e-4, decided_after=4)
    assert max(sizes) < 1_700_000 / 8
    assert spent < 60


@pytest.mark.parametrize("exponent", [1.0, 2.0, 2.6])
@pytest.mark.parametrize("rows", [100_000, 1_000_000, 1_000_000_000])
def test_the_time_budget_holds_whatever_the_growth(rows: int, exponent: float) -> None:
    def seconds(size: int) -> float:
        return 5 * (size / 12_500) ** exponent

    sizes, spent = climb(rows, seconds)
    assert seconds(sizes[-1]) < 60, "no sample met its deadline"
    assert spent <= 60


def test_the_cost_does_not_grow_with_production() -> None:
    costs = [climb(rows, lambda size: size * 2e-4)[1] for rows in (10**6, 10**9)]
    assert costs[1] == pytest.approx(costs[0], rel=0.6)


def test_a_pass_is_given_more_rows_than_a_failure() -> None:
    """What fits is held against larger samples for a while, since growth may begin above them."""

    def largest(*, exceeds: bool) -> int:
        sizes, spent = climb(
            1_600_000, lambda rows: rows * 1.2e-5, decided_after=4, exceeds=exceeds
        )
        assert spent < 15
        return sizes[-1]

    assert largest(exceeds=False) > largest(exceeds=True) == 100_000


def test_a_wide_interval_is_worth_more_time_than_a_narrow_one() -> None:
    def spent(*, narrow: bool) -> float:
        return climb(6_400_000, lambda rows: rows * 1e-4, decided_after=4, narrow=narrow)[1]

    assert spent(narrow=True) < 15 < spent(narrow=False) < 24


def test_growth_that_fails_is_followed_to_where_buffers_end_while_there_is_time() -> None:
    def largest(*, exceeds: bool) -> int:
        sizes, _ = climb(1_600_000, lambda rows: rows * 4e-4, decided_after=4, exceeds=exceeds)
        return sizes[-1]

    assert largest(exceeds=False) < largest(exceeds=True) == 50_000


@pytest.mark.parametrize("seconds_a_row", [1.3e-4, 3e-4, 5e-4, 1e-3, 3e-3])
def test_a_failure_leaves_time_for_its_explanation(seconds_a_row: float) -> None:
    """And nothing changes before the verdict is there, or if it is another one."""

    def spent(**settings: Any) -> float:
        return climb(1_600_000, lambda rows: rows * seconds_a_row, **settings)[1]

    assert spent(decided_after=4, exceeds=True, explains=True) <= 48
    for settings in ({"decided_after": 99, "exceeds": True}, {"decided_after": 4}):
        assert spent(**settings, explains=True) == spent(**settings)


def test_what_was_begun_for_a_failure_ends_before_its_explanation() -> None:
    ladder = Ladder(1_600_000, 60, explains=True)
    failed = Outlook(decided=True, narrow=True, exceeds=True)
    assert ladder.for_samples(failed) == 48
    assert ladder.for_samples(None) == ladder.for_samples(replace(failed, decided=False)) == 60
    assert Ladder(1_600_000, 60).for_samples(failed) == 60


def test_the_time_budget_that_would_allow_a_larger_sample() -> None:
    ladder = Ladder(1_600_000, 20)
    run = Run(Outcome.FINISHED, 0, duration=10.0, startup=0.5)
    samples = [Sample({"shop.Order": 100_000}, run, seed_seconds=0.5)]
    needed = ladder.budget_for(samples, ladder.above(500_000))
    # 11 s were spent, and eight times the rows take 80 s, 3.5 to seed them and 0.5 to start.
    assert needed == 120
    dry_runs_first = Ladder(1_600_000, 20, before=40)
    assert dry_runs_first.budget_for(samples, ladder.above(500_000)) == 160
    # It had that time, and the machine was busy.
    idle = [Sample({"shop.Order": 1}, Run(Outcome.FINISHED, 0, duration=1e-5))]
    assert Ladder(1_600_000, 60).budget_for(idle, 2) == 70


def test_smaller_samples_follow_one_that_leaves_no_time_for_larger_ones() -> None:
    sizes, spent = climb(1_600_000, lambda rows: rows * 0.01, decided_after=3)
    assert sizes == [1_563, 3_125, 782]
    assert spent < 60


def test_far_fewer_rows_follow_a_first_sample_that_did_not_end() -> None:
    ladder, nothing = Ladder(1_600_000, 60), Outlook(decided=False, narrow=False, exceeds=False)
    stopped = Sample({"shop.Order": 1_563}, Run(Outcome.TIMED_OUT, 0, duration=36))
    assert ladder.deadline([], 60) == 36
    assert ladder.next([stopped], 37, nothing) == 13
    few = Sample({"shop.Order": 13}, Run(Outcome.FINISHED, 0, duration=0.4, startup=0.5))
    assert ladder.next([stopped, few], 38, nothing) == 49
    assert ladder.next([stopped], 57, nothing) is None
