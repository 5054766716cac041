"""What is held at the end of a migration tells growth that goes on; figures of real runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.climb import climb
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.kept import kept_bytes
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.sample import Facts, Outcome, Run, Sample
from pytest_membudget.units import MIB

# Rows, MiB of the peak, the blocks that were held, and those of them that were cyclic.
Figures = Sequence[tuple[int, float, int, int]]
# django-cms's 0037_merge_page_treenode on PostgreSQL, which keeps each page with its node.
PAGES = (
    (1_563, 87.2, 86_443, 32_776),
    (3_125, 93.4, 185_093, 34_444),
    (6_250, 107.0, 386_438, 32_138),
)
# The whole of it with 200,000 pages takes this.
TRUTH = 948
# prefetch_related() in chunks of 2,000, of rows without children: garbage until it is collected.
GARBAGE = (
    (1_563, 46.9, 17_194, 56_115),
    (3_125, 50.9, 78_879, 107_258),
    (6_250, 61.0, 199_887, 207_259),
)
# A chunk of 2,000 rows beside a list of keys.
CHUNK = (
    (1_563, 50.0, 63_000, 100),
    (3_125, 52.0, 48_000, 100),
    (6_250, 52.0, 16_500, 100),
)
KEYS = ((1_563, 50.0, 1_600, 0), (3_125, 52.0, 3_200, 0), (6_250, 52.0, 6_300, 0))


# prefetch_related() of all rows: at the end each is in use, and looks like garbage.
PREFETCHED = (
    (782, 96.8, 90_000, 85_000),
    (1_563, 107.8, 150_000, 140_000),
    (3_125, 129.1, 270_000, 255_000),
)


def samples(figures: Figures, **facts: bool) -> list[Sample]:
    return [
        Sample(
            {"shop.Order": rows},
            Run(
                Outcome.FINISHED,
                int(peak * MIB),
                baseline=45 * MIB,
                facts=Facts(kept_blocks=kept, cyclic_blocks=cyclic, **facts),
            ),
        )
        for rows, peak, kept, cyclic in figures
    ]


@pytest.mark.parametrize(
    ("figures", "least", "most"),
    [
        (PAGES, 3_000, 4_600),
        (PAGES[:2], 1_500, 4_600),
        (KEYS, 0, 40),
        # Models of many more states are garbage, with any number of rows.
        ([(rows, peak, kept, cyclic + 40_000) for rows, peak, kept, cyclic in PAGES], 3_000, 4_600),
        # Less than half is known not to be garbage, or is there at the end.
        (GARBAGE, None, None),
        (CHUNK, None, None),
        (PAGES[:1], None, None),
        # As many at the end of both, of which fewer are cyclic.
        ([(1_563, 50.0, 6_000, 0), (3_125, 52.0, 7_000, 900), (6_250, 54.0, 7_000, 0)], 0, 160),
        # Too few rows to tell a list from a cache.
        ([(rows // 10, peak, kept, cyclic) for rows, peak, kept, cyclic in PAGES], None, None),
    ],
)
def test_bytes_that_each_row_adds(figures: Figures, least: int | None, most: int | None) -> None:
    found = kept_bytes(samples(figures), [])
    if least is None or most is None:
        assert found is None
    else:
        assert found is not None
        assert least <= found <= most


@pytest.mark.parametrize(
    ("threshold", "slope"), [(2_000, 40 * 65), (4_000, 40 * 65), (5_000, None), (50_000, None)]
)
def test_growth_that_goes_on_past_a_threshold(threshold: int, slope: int | None) -> None:
    """What has grown may be a chunk, so each block counts as the smallest there are."""
    found = kept_bytes(samples(PAGES), [threshold])
    assert found == (None if slope is None else pytest.approx(slope, rel=0.02))


@pytest.mark.parametrize(
    ("held", "slope"),
    # Of a chunk of 2,000 rows, and where nothing tells.
    [(235_000, 40 * 75), (150_000, None), (None, None)],
)
def test_what_a_run_that_collects_garbage_has_held(held: int | None, slope: int | None) -> None:
    *smaller, last = samples(PREFETCHED)
    known = [*smaller, replace(last, held=held)]
    for larger in ([], samples([(6_250, 171.0, 540_000, 510_000)])):
        found = kept_bytes([*known, *larger], [2_000])
        assert found == (None if slope is None else pytest.approx(slope, rel=0.02))


@pytest.mark.parametrize(
    ("held", "verdict"), [(235_000, Verdict.EXCEEDS), (150_000, Verdict.INCONCLUSIVE)]
)
def test_garbage_is_collected_where_that_may_decide(held: int, verdict: Verdict) -> None:
    budget = Budget([("cms", "0027_it")], {"shop.Order": 200_000}, 512 * MIB, "marker")
    evidence = Evidence(budget, False, [2_000])
    given = {one.size: one for one in samples(PREFETCHED)}
    taken: list[Evidence] = []

    def measure(evidence: Evidence, size: int, _: float) -> tuple[Evidence, float]:
        run = replace(given[size].run, duration=size / 200)
        taken.append(evidence.with_sample(replace(given[size], run=run)))
        return taken[-1], 1e9

    def collect(_: float) -> Evidence:
        assert Assessment(taken[-1]).depends_on_garbage
        return taken[-1].with_held(held)

    def spent() -> float:
        return sum(one.run.duration for one in taken[-1].samples) if taken else 0.0

    assert climb(evidence, measure, spent, collect).judgement.verdict == verdict
    assert climb(evidence, measure, spent).judgement.verdict == Verdict.INCONCLUSIVE


def test_what_was_not_followed_says_nothing() -> None:
    quick, *slow = samples(PAGES)
    unknown = Sample(quick.rows, Run(Outcome.FINISHED, quick.run.peak))
    assert kept_bytes([unknown, *slow], []) is None
    assert kept_bytes(samples(PAGES, debug=True), []) is None


def test_a_measured_peak_has_its_interval_around_it() -> None:
    budget = Budget([("cms", "0037_it")], {"shop.Order": 6_250}, 512 * MIB, "marker")
    projection = Estimate(Evidence(budget, True, samples=tuple(samples(PAGES)))).projection
    assert projection is not None
    assert projection.measured
    assert projection.low < projection.value < projection.high


def test_few_rows_that_are_all_kept_exceed() -> None:
    budget = Budget([("cms", "0037_it")], {"shop.Order": 200_000}, 512 * MIB, "marker")
    estimate = Estimate(Evidence(budget, True, samples=tuple(samples(PAGES))))
    projection = estimate.projection
    assert projection is not None
    assert 512 * MIB < projection.low < TRUTH * MIB < projection.high
    assert estimate.threshold_ahead is None
    assert not estimate.cycles_add_up
