"""What samples say about a budget: with gaps, with garbage that adds up, with a branch ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.assessment import Assessment, assess
from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.projection import MIB, project
from pytest_membudget.judge.verdict import judge
from pytest_membudget.sample import Facts, Outcome, Run, Sample

ROWS = 1_600_000
LOOP = {25_000: 80, 50_000: 120, 100_000: 200}
FLAT = {25_000: 80, 50_000: 80, 100_000: 80}
# prefetch_related() in chunks without a related row, on Python 3.13: peak, collections, garbage.
CHUNKS = {
    6_250: (60.8, 0, 66_000),
    12_500: (65.2, 1, 132_000),
    25_000: (81.5, 1, 263_000),
    50_000: (81.5, 3, 435_000),
}


def sample(rows: int, peak: float, outcome: str = Outcome.FINISHED, **facts: Any) -> Sample:
    run = Run(
        outcome, int(peak * MIB), baseline=45 * MIB, duration=rows * 1e-4, facts=Facts(**facts)
    )
    return Sample({"shop.Order": rows}, run)


def budget(limit: int, **settings: Any) -> Budget:
    keys = [("shop", "0002_it")]
    return Budget(keys, {"shop.Order": ROWS}, limit * MIB, "marker", **settings)


def assessed(limit: int, peaks: dict[int, float], **facts: Any) -> Assessment:
    samples = (sample(1_563, 50), *(sample(rows, peak) for rows, peak in peaks.items()))
    return assess(Evidence(budget(limit), False, samples=samples, **facts))


def verdict(limit: int, peaks: dict[int, float], **facts: Any) -> str:
    return assessed(limit, peaks, **facts).judgement.verdict


def test_a_projection_that_exceeds_needs_three_samples_above_the_floor() -> None:
    below = {3_125: 100, 6_250: 200, 12_500: 400}
    assert verdict(512, below) == "inconclusive"
    assert verdict(512, {**below, 25_000: 500}) == "inconclusive"
    assert verdict(512, LOOP) == "exceeds"


def test_garbage_that_the_cycle_collector_has_not_met_is_no_growth_without_end() -> None:
    def judged(*sizes: int) -> str:
        samples = [
            sample(rows, peak, oldest_collections=collections, cyclic_objects=objects)
            for rows, (peak, collections, objects) in CHUNKS.items()
            if rows in sizes
        ]
        found = assess(Evidence(budget(100), False, samples=(sample(1_563, 50), *samples)))
        assert found.estimate.projection is not None
        assert found.estimate.projection.low <= 81.7 * MIB
        return found.judgement.verdict

    assert judged(6_250, 12_500, 25_000) == "inconclusive"
    assert judged(6_250, 12_500, 25_000, 50_000) == "inconclusive"


def test_a_branch_that_no_sample_has_taken_is_no_pass() -> None:
    judgement = assessed(512, FLAT, branches=[500_000]).judgement
    assert judgement.verdict == "inconclusive"
    assert judgement.reason == (
        "shop.0002_it compares a count with 500,000 in its code, and no sample had more rows than "
        "that (the largest had 100,000 shop.Order), so what it does with more rows was not "
        "measured; time_budget=130 would allow such a sample."
    )


@pytest.mark.parametrize(
    "number",
    [50_000, 99_999, 1_600_000, 2_000_000],
    ids=["passed", "just-passed", "equal", "beyond"],
)
def test_numbers_that_were_passed_or_never_will_be_are_no_gaps(number: int) -> None:
    assert verdict(512, FLAT, branches=[number]) == "within"


def test_a_branch_may_also_lower_the_peak() -> None:
    assert verdict(512, LOOP, branches=[500_000]) == "inconclusive"


def test_a_number_counts_rows_of_the_largest_model_that_is_read() -> None:
    rows = {"shop.Line": ROWS, "shop.Order": 800_000}
    tables = {"shop.Line": "shop_line", "shop.Order": "shop_order"}
    keys = [("shop", "0002_it")]

    def samples(*read: str) -> tuple[Sample, ...]:
        return tuple(
            Sample(
                {"shop.Line": size, "shop.Order": size // 2},
                Run(Outcome.FINISHED, 80 * MIB, duration=1.0, read=dict.fromkeys(read, 1)),
            )
            for size in FLAT
        )

    def past(number: int, *read: str) -> int | None:
        asked = Budget(keys, rows, 512 * MIB, "marker")
        return Evidence(asked, False, tables=tables, samples=samples(*read)).ahead.past([number])

    assert past(49_999, "shop_order") is None
    assert past(60_000, "shop_order") == 120_000
    assert past(900_000, "shop_order") is None
    assert past(60_000, "shop_order", "shop_line") is None
    assert past(900_000, "shop_order", "shop_line") == 900_000


def test_growth_may_come_in_steps_that_the_code_names() -> None:
    smooth = assessed(512, LOOP).estimate
    stepped = assessed(512, LOOP, thresholds=[2_000, 40_000]).estimate
    narrow, wide = smooth.projection, stepped.projection
    assert narrow is not None
    assert wide is not None
    assert wide.half_width > 2 * narrow.half_width
    assert (smooth.past, stepped.past) == (None, 100_000)


def judged(peaks: dict[int, float], gaps: Sequence[Gap], *, over: bool = False) -> str:
    samples = [sample(rows, peak) for rows, peak in peaks.items()]
    if over:
        samples.append(sample(200_000, 700, Outcome.OVER_LIMIT))
    points = [(float(rows), peak * MIB) for rows, peak in peaks.items()]
    estimate = Estimate(budget(512).scale, project(points, ROWS), enough=True)
    return judge(budget(512), samples, estimate, Coverage(gaps=tuple(gaps))).verdict


def test_gaps_come_before_a_projection_and_after_a_sample_that_passed_the_limit() -> None:
    gap, addition = Gap("unseen", "did things"), Gap("more", "did more things", only_adds=True)
    assert judged(FLAT, []) == "within"
    assert judged(FLAT, [gap]) == judged(FLAT, [addition]) == "inconclusive"
    assert judged(LOOP, []) == judged(LOOP, [addition]) == "exceeds"
    assert judged(LOOP, [gap]) == judged(LOOP, [addition, gap]) == "inconclusive"
    assert judged(LOOP, [gap], over=True) == "exceeds"
