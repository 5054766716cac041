"""How migrations are called in a title, where there may be many."""

from __future__ import annotations

from pytest_membudget.budget.request import label_of


def test_a_few_are_named_and_many_are_counted() -> None:
    many = [("shop", f"{number:04}_change") for number in range(3, 176)]
    assert label_of(many[:1]) == "shop.0003_change"
    assert label_of(many[:2]) == "shop.0003_change + shop.0004_change"
    assert label_of(many) == "shop.0003_change … and 172 more"
