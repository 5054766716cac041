"""Rows that a migration filters by, of which the profile knows the share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.ahead import Ahead
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.findings import find
from pytest_membudget.judge.portions import asked_shares
from pytest_membudget.profile.production import Production
from pytest_membudget.profile.shares import ColumnShares, ValueShares, hash_of
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.sample.selection import Selection
from pytest_membudget.units import MIB

ROWS = 400_000
ORDER = "shop_order"
TABLES = {"shop.Order": ORDER}
LEGACY = {"status": ["legacy"]}


def column(name: str, nulls: float = 0, **shares: float) -> ColumnShares:
    place = f"{ORDER}.{name}"
    return ColumnShares(place, "text", nulls, {hash_of(place, t): s for t, s in shares.items()})


KNOWN = ValueShares(
    {
        (ORDER, "status"): column("status", legacy=0.2, open=0.8),
        (ORDER, "kind"): column("kind", a=0.1, b=0.9),
        (ORDER, "total"): ColumnShares(f"{ORDER}.total", "integer", 0.4),
    }
)


def selection(rows: int, share: float, **equal: Any) -> Selection:
    return Selection(ORDER, int(rows * share), equal)


def sample(
    rows: int, per_row: float, *shares: tuple[float, dict[str, Any]], **seeded: tuple[Any, float]
) -> Sample:
    """Of which statements have loaded shares of the rows, by the values of columns."""
    selections = tuple(selection(rows, share, **equal) for share, equal in shares)
    fetched = sum(one.fetched for one in selections)
    run = Run(
        Outcome.FINISHED,
        int(45 * MIB + rows * per_row),
        baseline=45 * MIB,
        duration=rows * 1e-4,
        selections=selections,
        loads=frozenset({ORDER}),
        read={ORDER: fetched},
    )
    return Sample(
        {"shop.Order": rows},
        run,
        tables=TABLES,
        forced_values={ORDER: {name: [value] for name, (value, _) in seeded.items()}},
        shares={ORDER: {name: [share] for name, (_, share) in seeded.items() if share < 1}},
    )


def assessed(limit: int, *shares: Any, per_row: float = 200, **seeded: Any) -> Assessment:
    sizes = (25_000, 50_000, 100_000)
    return Assessment(
        Evidence(
            Budget([("shop", "0002_it")], {"shop.Order": ROWS}, limit * MIB, "marker"),
            touches_rows=True,
            tables=TABLES,
            samples=tuple(sample(rows, per_row, *shares, **seeded) for rows in sizes),
            production=Production("membudget.json", shares=KNOWN),
            literals=frozenset({"legacy", "a", "gone"}),
        )
    )


def test_the_interval_has_as_many_rows_as_production_may_have() -> None:
    found = assessed(200, (0.2, LEGACY), status=("legacy", 0.2))
    projection, alone = found.estimate.projection, found.estimate._of_samples
    assert projection is not None
    assert alone is not None
    assert projection.value == alone.value
    # From 17% to 23%.
    assert projection.low / MIB - 45 == pytest.approx(0.85 * (alone.low / MIB - 45))
    assert projection.high / MIB - 45 == pytest.approx(1.15 * (alone.high / MIB - 45))
    assert found.judgement.verdict == "within"
    assert found.judgement.reason.endswith(
        "By membudget.json, 20% of the rows have shop_order.status = 'legacy'."
    )
    messages = {one.code: one.message for one in find(found)}
    assert "at least 17% and at most 23%" in messages["rows-shared"]
    assert "rows-untouched" not in messages
    assert "rows-asked" not in messages


def test_rows_that_are_known_exceed_without_an_assumption() -> None:
    found = assessed(80, (0.2, LEGACY), status=("legacy", 0.2)).judgement
    assert (found.verdict, "assumes" in found.reason) == ("exceeds", False)


def test_without_a_share_all_rows_may_be_touched() -> None:
    for shares in [(0.2, {})], [(0.2, LEGACY), (0.01, {})], [(0.2, {"note": ["legacy"]})]:
        projection = assessed(200, *shares, status=("legacy", 0.2)).estimate.projection
        assert projection is not None
        assert projection.high / MIB > 45 + 76 / 0.21


def test_rows_that_the_migration_has_given_the_value_are_not_known() -> None:
    """It found more rows than had been seeded, or sets the column."""
    changed = assessed(200, (0.5, LEGACY), status=("legacy", 0.2))
    assert changed.evidence.portions == []
    found = assessed(200, (0.2, LEGACY), status=("legacy", 0.2)).evidence
    last = found.samples[-1]
    run = replace(last.run, not_equal=frozenset({(ORDER, "status")}))
    assert replace(found, samples=(replace(last, run=run),)).portions == []


def test_a_value_that_is_not_listed_is_an_assumption() -> None:
    asked = {"status": ["gone"]}
    found = assessed(80, (0.01, asked), status=("gone", 0.01)).judgement
    assert found.verdict == "inconclusive"
    assert "would tell more" not in found.reason
    assert "This assumes that as many as 1% of the rows have shop_order.status = 'gone'" in (
        found.reason
    )
    within = assessed(200, (0.01, asked), status=("gone", 0.01)).judgement
    assert within.verdict == "within"
    assert "By membudget.json, at most 1% of the rows have" in within.reason


def test_that_the_same_rows_have_two_values_is_an_assumption() -> None:
    seeded = {"status": ("legacy", 0.2), "kind": ("a", 0.1)}
    asked = {"status": ["legacy"], "kind": ["a"]}
    found = assessed(80, (0.1, asked), **seeded)
    assert found.judgement.verdict == "inconclusive"
    assert "the same rows have shop_order.status = 'legacy', shop_order.kind = 'a'" in (
        found.judgement.reason
    )
    [portion] = found.evidence.portions
    assert (portion.low, portion.seeded) == (0.0, 0.1)
    assert portion.high == pytest.approx(0.12)


def test_what_every_row_was_given_is_still_an_assumption() -> None:
    found = assessed(80, (0.2, LEGACY), status=("legacy", 0.2), note=("legacy", 1.0)).judgement
    assert found.verdict == "inconclusive"
    assert "every row has shop_order.note = 'legacy'" in found.reason
    assert "every row has shop_order.status" not in found.reason


@pytest.mark.parametrize(
    ("values", "not_equal", "shares"),
    [
        ({"status": ["legacy"]}, (), {"status": [0.2]}),
        ({"status": ["legacy", "open"]}, (), {"status": [0.2, 0.8]}),
        ({"status": ["legacy"], "note": ["x"]}, (), {"status": [0.2]}),
        ({"status": ["legacy"]}, ("status",), None),
        ({"total": [None]}, (), None),
    ],
)
def test_the_shares_that_are_seeded(values: Any, not_equal: Any, shares: Any) -> None:
    run = Run(
        Outcome.FINISHED,
        1,
        filters={ORDER: values},
        not_equal=frozenset((ORDER, name) for name in not_equal),
    )
    found = asked_shares(run, KNOWN)
    assert found.shares == ({ORDER: shares} if shares else {})
    # Generated rows have the profile's share of NULLs in any case.
    followed = found.without_followed({ORDER: values})
    assert followed == ({} if "total" in values else {ORDER: values})


def test_a_chunk_is_full_with_more_rows_where_few_are_loaded() -> None:
    samples, rows = (sample(10_000, 1, (0.02, LEGACY)),), {"shop.Order": 100_000}
    whole = Ahead(samples, rows, TABLES)
    part = Ahead(samples, rows, TABLES, {ORDER: (0.02, 0.032)})
    assert (whole.thresholds([1_000]), part.thresholds([1_000])) == ([], [50_000])
    assert (whole.past([1_000]), part.past([1_000])) == (None, 50_000)
    # Production may have 3,200 of them.
    assert part.past([3_000]) == 150_000
    assert part.past([4_000]) is None
