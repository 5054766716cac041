from __future__ import annotations

from typing import Any

import pytest
from seeding_cases import Run

HINT = 'give rows of your own with seed="module.function", called as seed(apps, rows, using)'

REFUSALS = {
    "awkward.Grade": "awkward.Grade.level: only 2 different rows are possible, 1,000 are wanted",
    "awkward.TooNarrow": "awkward.TooNarrow.active, kind: only 4 different rows are possible",
    "taken": "awkward.TooNarrow.active, kind: only 0 different rows are possible without the "
    "values of the 2 that are there, 1,000 are wanted",
    "awkward.Impossible": "awkward.Impossible.number: no value found that satisfies never_true",
    "awkward.Unloadable": "awkward.Unloadable.sealed: no value tried can be stored and loaded",
    "awkward.Limited": "awkward.Limited: ",
    "awkward.Unknown": "awkward.Unknown: there is no such model at this migration",
    "auth.User": "auth.User: it is swapped for awkward.Account",
    "Nonsense": "Nonsense: there is no such model at this migration",
    "awkward.SmallKey": "awkward.SmallKey.id: only 32,767 different rows are possible",
    "awkward.Absent": "awkward.Absent: its table cannot be read",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def refused(request: pytest.FixtureRequest, run: Run) -> Any:
    cases: dict[str, Any] = {
        label: {"ladder": [{label: 1000}, {label: 2500}]} for label in REFUSALS
    }
    cases["awkward.SmallKey"] = {
        "ladder": [{"awkward.SmallKey": 1000}, {"awkward.SmallKey": 40_000}]
    }
    cases["taken"] = {
        "before": ["INSERT INTO awkward_toonarrow (active, kind) VALUES (true, 'a'), (false, 'b')"],
        "ladder": [{"awkward.TooNarrow": 1000}],
    }
    return run(request.param, cases)


@pytest.mark.parametrize("label", REFUSALS)
def test_a_refusal_names_the_model_the_field_and_the_way_out(label: str, refused: Any) -> None:
    error = refused[label].get("error", refused[label])
    assert error.startswith(f"cannot seed {REFUSALS[label]}")
    assert error.endswith(HINT)


def test_details_hold_what_the_field_or_the_database_said(refused: Any) -> None:
    assert "the seal is broken" in refused["awkward.Unloadable"]["details"]
    assert "limited" in refused["awkward.Limited"]["error"]
