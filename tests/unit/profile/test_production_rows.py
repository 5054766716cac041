"""What is known of production's row counts."""

from __future__ import annotations

from pytest_membudget.profile.production import Production

OTHERS = Production(
    profile="membudget.json",
    tables={"shop_size": 300},
    stated={"*": 200_000, "shop.Color": 900},
    most={"shop.Country": 1_295, "shop.Color": 9, "shop.Size": 36, "shop.Order": 1 << 31},
)


def test_a_model_that_nobody_names_has_no_more_rows_than_can_differ() -> None:
    assert OTHERS.rows("shop_order", "shop.Order") == 200_000
    assert OTHERS.rows("shop_country", "shop.Country") == 1_295
    # What was said of the model itself stays, also where it can't be.
    assert OTHERS.rows("shop_color", "shop.Color") == 900
    assert OTHERS.rows("shop_size", "shop.Size") == 300
    assert Production(most={"shop.Country": 1_295}).rows("shop_country", "shop.Country") is None


def test_a_finding_names_it() -> None:
    labels = ("shop.Order", "shop.Country", "shop.Color", "shop.Size")
    tables = {label: label.replace(".", "_").lower() for label in labels}
    [found] = [one for one in OTHERS.notes(tables) if one.code == "rows-fewer"]
    assert found.message.endswith(
        ": 1,295 shop.Country; the row count for every other model is 200,000"
    )
    assert not Production(stated={"*": 9}).notes(tables)
