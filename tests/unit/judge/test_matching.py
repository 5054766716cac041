"""Which of the seeded rows a run is about."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.judge.matching import driving_model, touched_share
from pytest_membudget.sample import Outcome, Run, Sample

TABLES = {"shop.Order": "orders", "shop.Status": "statuses"}


def sample(**accesses: Any) -> Sample:
    run = Run(Outcome.FINISHED, 1, **accesses)
    return Sample({"shop.Order": 1_000, "shop.Status": 2_000}, run)


@pytest.mark.parametrize(
    ("accesses", "model", "share"),
    [
        # A status is looked up by its unique name and made, and each order gets it.
        (
            {"loads": frozenset({"orders"}), "read": {"orders": 1_000}}
            | {"written": {"orders": 1_000, "statuses": 3}, "inserted": {"statuses": 3}},
            "shop.Order",
            1.0,
        ),
        ({"written": {"statuses": 3}, "inserted": {"statuses": 2}}, "shop.Status", 0.0015),
        ({"written": {"statuses": 3}, "inserted": {"statuses": 3}}, "shop.Status", 0.0015),
        ({"read": {"orders": 1}, "written": {"statuses": 3}}, "shop.Status", 0.0015),
        ({"read": {"orders": 1}}, "shop.Order", 0.001),
        ({}, None, 0.0),
    ],
)
def test_new_rows_say_nothing_of_those_that_were_there(
    accesses: dict[str, Any], model: str | None, share: float
) -> None:
    assert driving_model(sample(**accesses), TABLES) == model
    assert touched_share(sample(**accesses), TABLES) == share
