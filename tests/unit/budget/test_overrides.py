"""What pyproject.toml says of single migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_membudget.budget.overrides import read_overrides
from pytest_membudget.errors import BudgetError


def test_what_is_skipped_has_a_reason(tmp_path: Path) -> None:
    entry = '[tool.membudget.migrations."shop.0002"]\nskip = {}\n'
    file = tmp_path / "pyproject.toml"
    file.write_text(entry.format('"it is old"'))
    assert read_overrides(tmp_path)["shop.0002"].skip == "it is old"
    file.write_text(entry.format('" "'))
    with pytest.raises(BudgetError, match='gives no reason; write skip = "why"'):
        read_overrides(tmp_path)
