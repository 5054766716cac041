"""The share of rows that have a value, as a profile tells it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.profile.shares import ColumnShares, Share, ValueShares, hash_of

PLACE = "shop_order.status"


def column(type_: str = "text", nulls: float | None = 0.0, **shares: float) -> ColumnShares:
    known = {hash_of(PLACE, text): share for text, share in shares.items()}
    return ColumnShares(PLACE, type_, nulls, known or None)


def bounds(share: Share | None) -> Any:
    return share and (round(share.low, 4), share.likely, round(share.high, 4))


def test_a_common_value_may_be_off_by_a_tenth_and_a_hundredth() -> None:
    assert bounds(column(legacy=0.2).of("legacy")) == (0.17, 0.2, 0.23)
    assert bounds(column(legacy=0.97).of("legacy")) == (0.863, 0.97, 1.0)


def test_a_value_that_is_not_listed_may_still_be_there() -> None:
    """Statistics are of a sample, and of another day."""
    complete = column(active=0.8, done=0.2)
    assert bounds(complete.of("legacy")) == (0.0, None, 0.01)
    assert bounds(column(active=0.6, done=0.2).of("legacy")) == (0.0, None, 0.23)


def test_a_value_of_another_type_is_not_taken_for_one_that_is_not_there() -> None:
    assert column("integer", **{"4": 1.0}).of("4.0") is None
    assert column("boolean", t=1.0).of("yes") is None
    assert column("text", **{"4": 1.0}).of(4) is None


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [("boolean", "t", True), ("boolean", "f", 0), ("integer", "4", "4"), ("bigint", "1", True)],
)
def test_a_value_as_postgresql_writes_it(type_: str, text: str, value: Any) -> None:
    found = column(type_, **{text: 0.5}).of(value)
    assert found is not None
    assert found.likely == 0.5


def test_nulls_are_a_share_without_those_of_values() -> None:
    assert bounds(column(nulls=0.5).of(None)) == (0.44, 0.5, 0.56)
    assert column(nulls=None).of(None) is None
    # Whatever is not NULL may have one value.
    assert bounds(column(nulls=0.9).of("legacy")) == (0.0, None, 0.12)
    assert column(nulls=0.1).of("legacy") is None


def test_enough_rows_are_seeded_to_be_found() -> None:
    common, rare, unlisted = (column(a=0.8, b=0.002).of(value) for value in ("a", "b", "c"))
    assert common is not None
    assert rare is not None
    assert unlisted is not None
    assert (common.seeded, common.is_assumed) == (0.8, False)
    assert (round(rare.seeded, 4), rare.is_assumed) == (0.0122, True)
    assert (unlisted.seeded, unlisted.is_assumed) == (unlisted.high, True)


def test_one_unknown_value_makes_those_of_a_statement_unknown() -> None:
    shares = ValueShares({("shop_order", "status"): column(nulls=0.1)})
    assert shares.of("shop_order", "status", [None, "legacy"]) is None
    assert shares.of("shop_order", "status", []) is None
    assert shares.of("shop_order", "kind", ["x"]) is None
    assert [one.likely for one in shares.of("shop_order", "status", [None]) or ()] == [0.1]
