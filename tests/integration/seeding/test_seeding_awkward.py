from __future__ import annotations

from collections.abc import Callable
from typing import Any

import machine
import pytest
from seeding_cases import EVERY, STEPS, Run, all_cases

Results = Callable[[str], dict[str, Any]]


def test_there_are_enough_awkward_models() -> None:
    assert sum(vendor == "sqlite" for vendor, _ in EVERY) >= 36


@pytest.mark.parametrize(
    ("vendor", "label"),
    [
        pytest.param(*one, marks=pytest.mark.contrib if "extensions" in one[1] else ())
        for one in EVERY
    ],
)
def test_every_model_is_seeded(vendor: str, label: str, everything: Results) -> None:
    result = everything(vendor)[label]
    assert "rows" in result, result.get("crash") or result
    # A proxy's rows are those of its concrete model.
    assert result["rows"][label.replace("CheapPlace", "Place")] == STEPS[-1]
    assert result["counts"] == result["rows"]
    assert result["broken"] == []
    assert result["leftovers"] == []
    assert result["widths"].keys() == result["rows"].keys()


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"])
def test_the_same_rows_again(vendor: str, run: Run, everything: Results) -> None:
    again = run(vendor, all_cases(vendor, STEPS[:1], report=False), hash_seed="4711")
    for label, result in everything(vendor).items():
        if "extensions" not in label or machine.NEEDS["contrib"].there:
            assert result["digest"] == again[label]["digest"]
