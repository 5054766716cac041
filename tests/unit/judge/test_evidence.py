"""What samples say about a budget: with gaps, with garbage that adds up, with a branch ahead."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.conclude import conclude, conclude_early
from pytest_membudget.check.early_verdict import inconclusive, unseen_by
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import (
    Gap,
    rows_unknown,
    statement_unread,
    table_without_model,
    tables_without_model,
    unnamed_table,
)
from pytest_membudget.sample import Facts, Outcome, Run, Sample
from pytest_membudget.units import MIB

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
    return Assessment(Evidence(budget(limit), False, samples=samples, **facts))


def verdict(limit: int, peaks: dict[int, float], **facts: Any) -> str:
    return assessed(limit, peaks, **facts).judgement.verdict


def test_a_projection_that_exceeds_needs_three_samples() -> None:
    wide = {3_125: 100, 6_250: 200, 12_500: 400}
    assert verdict(512, dict([*wide.items()][:1])) == "inconclusive"
    assert verdict(512, wide) == "exceeds"
    assert verdict(512, {**wide, 25_000: 500}) == "inconclusive"
    assert verdict(512, LOOP) == "exceeds"


def test_one_that_is_within_needs_two_where_the_limit_is_far_away() -> None:
    two = {25_000: 60, 50_000: 60}
    assert verdict(1_024, dict([*two.items()][:1])) == "inconclusive"
    assert verdict(120, two) == "inconclusive"
    assert verdict(1_024, two) == "within"


@pytest.mark.parametrize(
    ("few", "verdict"), [(None, "inconclusive"), (59.5, "within"), (50, "inconclusive")]
)
def test_a_dry_run_is_one_of_three_that_show_no_growth(few: float | None, verdict: str) -> None:
    """A process of a large project takes seconds to start, and has just run over twenty rows."""
    samples = tuple(sample(rows, 60) for rows in (25_000, 50_000))
    peak = None if few is None else int(few * MIB)
    few_rows = replace(budget(300), rows={"shop.Order": 200_000})
    evidence = Evidence(few_rows, False, samples=samples, few_peak=peak)
    assert Assessment(evidence).judgement.verdict == verdict


@pytest.mark.parametrize("count", [3, 4])
def test_garbage_that_the_cycle_collector_has_not_met_is_no_growth_without_end(count: int) -> None:
    samples = [
        sample(rows, peak, oldest_collections=collections, cyclic_objects=objects)
        for rows, (peak, collections, objects) in list(CHUNKS.items())[:count]
    ]
    found = Assessment(Evidence(budget(100), False, samples=(sample(1_563, 50), *samples)))
    assert found.estimate.projection is not None
    assert found.estimate.projection.low <= 81.7 * MIB
    assert found.judgement.verdict == "inconclusive"


def test_a_branch_that_no_sample_has_taken_is_no_pass() -> None:
    judgement = assessed(512, FLAT, branches=[500_000]).judgement
    assert judgement.verdict == "inconclusive"
    assert judgement.reason == (
        "shop.0002_it compares a count with 500,000 in its code, and no sample had more rows than "
        "that (the largest had 100,000 shop.Order), so what it does with more rows was not "
        "measured; time_budget=130 would allow such a sample."
    )
    assert verdict(512, LOOP, branches=[500_000]) == "inconclusive", "it may also lower the peak"


@pytest.mark.parametrize("number", [50_000, 99_999, ROWS, ROWS + 1])
def test_numbers_that_were_passed_or_never_will_be_are_no_gaps(number: int) -> None:
    assert verdict(512, FLAT, branches=[number]) == "within"


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
    stepped = assessed(512, LOOP, named_numbers=[2_000, 40_000]).estimate
    narrow, wide = smooth.projection, stepped.projection
    assert narrow is not None
    assert wide is not None
    assert wide.half_width > 2 * narrow.half_width
    assert (smooth.past, stepped.past) == (None, 100_000)


def test_a_gap_that_the_reason_names_is_a_finding_as_well() -> None:
    unnamed, without_model = unnamed_table("shop.Line", None), table_without_model("legacy")
    facts: dict[FindingCode, dict[str, Any]] = {
        FindingCode.BRANCH_AHEAD: {"branches": [500_000]},
        FindingCode.ROWS_UNNAMED: {"unnamed": (unnamed,)},
        FindingCode.TABLE_WITHOUT_MODEL: {"unnamed": (without_model,)},
    }
    for code, known in facts.items():
        result = conclude(assessed(512, FLAT, **known), "nodeid", "")
        [message] = [one.message for one in result.findings if one.code == code]
        assert result.reason == f"shop.0002_it {message.removeprefix('the migration ')}."


@pytest.mark.parametrize(
    "gap",
    [
        rows_unknown(["shop.Line"], "membudget.json"),
        tables_without_model(["legacy"]),
        statement_unread(),
    ],
)
def test_a_gap_that_dry_runs_found_is_a_finding(gap: Gap) -> None:
    found = Evidence(budget(512), False)
    result = conclude_early(found, "nodeid", inconclusive(found.budget, [sample(20, 50)], [gap]))
    assert [one.code for one in result.findings] == [gap.code]
    assert result.reason == f"shop.0002_it {gap.sentence}."


def test_gaps_come_before_a_projection_and_after_a_sample_that_passed_the_limit() -> None:
    gap = Gap(FindingCode.ROWS_UNLOGGED, "did things")
    addition = Gap(FindingCode.ROWS_UNNAMED, "did more things", only_adds=True)
    for peaks, gaps, expected in (
        (FLAT, (), "within"),
        (FLAT, (gap,), "inconclusive"),
        (FLAT, (addition,), "inconclusive"),
        (LOOP, (), "exceeds"),
        (LOOP, (addition,), "exceeds"),
        (LOOP, (gap,), "inconclusive"),
        (LOOP, (addition, gap), "inconclusive"),
    ):
        assert verdict(512, peaks, unnamed=gaps) == expected
    samples = (sample(100_000, 200), sample(200_000, 700, Outcome.OVER_LIMIT))
    over = Evidence(budget(512), False, samples=samples, unnamed=(gap,))
    assert Assessment(over).judgement.verdict == "exceeds"


def test_a_dry_run_needs_none_of_the_rows_that_are_seeded() -> None:
    assert unseen_by(budget(512), [Sample({}, Run(Outcome.FINISHED, 50 * MIB))]) == ()


def server_side(rows: int, peak: float) -> Sample:
    """One that only had the database change its rows."""
    run = Run(Outcome.FINISHED, int(peak * MIB), changed=frozenset({"shop_order"}))
    return Sample({"shop.Order": rows}, run)


@pytest.mark.parametrize(
    ("limit", "peaks", "branches", "verdict"),
    [
        (512, {1_563: 56, 25_000: 56}, [], "within"),
        # What a growth that no sample shows may come to.
        (100, {1_563: 56, 25_000: 56}, [], "inconclusive"),
        (100, {1_563: 56, 100_000: 56}, [], "within"),
        # Its code does something as often as a count says.
        (512, {1_563: 56}, [0], "inconclusive"),
        (512, {1_563: 56, 25_000: 90}, [], "inconclusive"),
    ],
)
def test_rows_that_stay_in_the_database(
    limit: int, peaks: dict[int, float], branches: list[int], verdict: str
) -> None:
    samples = tuple(server_side(rows, peak) for rows, peak in peaks.items())
    evidence = Evidence(
        budget(limit), True, (), branches, tables={"shop.Order": "shop_order"}, samples=samples
    )
    assert Assessment(evidence).judgement.verdict == verdict


def test_a_sample_that_did_not_end_tells_the_least_duration() -> None:
    stopped = replace(sample(200_000, 300, Outcome.TIMED_OUT).run, duration=100)
    slow = Sample({"shop.Order": 200_000}, stopped)
    samples = (*(sample(rows, peak) for rows, peak in LOOP.items()), slow)
    before = Assessment(Evidence(budget(512), False, samples=samples[:-1])).estimate.duration
    assert before.projection is not None
    assert before.projection.value == 160
    found = Assessment(Evidence(budget(512), False, samples=samples))
    projection = found.estimate.duration.projection
    assert projection is not None
    assert (projection.value, projection.high) == (800, math.inf)
    assert found.judgement.reason.endswith("It would take at least 13 min.")


@pytest.mark.parametrize(
    ("seconds", "begun", "verdict"),
    [(12, True, "inconclusive"), (40, True, "error"), (40, False, "inconclusive")],
)
def test_a_sample_that_was_given_little_time_is_no_error(
    seconds: float, begun: bool, verdict: str
) -> None:
    """A process of a large project takes ten seconds to start, and dry runs come first."""
    stopped = replace(sample(1_563, 100, Outcome.TIMED_OUT).run, duration=seconds, begun=begun)
    samples = (Sample({"shop.Order": 1_563}, stopped),)
    evidence = Evidence(budget(512), False, samples=samples, before=40.0, startup=11.0)
    judgement = Assessment(evidence).judgement
    assert judgement.verdict == verdict
    assert ("0 would allow some" in judgement.reason) == (verdict != "error")


def test_no_sample_is_taken_where_its_process_would_only_start() -> None:
    ladder = Evidence(budget(512), False, startup=11.0).ladder
    assert not ladder.has_time(12)
    assert ladder.has_time(30)
    assert ladder.next([sample(1_563, 100, Outcome.TIMED_OUT)], 50, Assessment(
        Evidence(budget(512), False, samples=(sample(1_563, 100),))
    ).outlook) is None  # fmt: skip
