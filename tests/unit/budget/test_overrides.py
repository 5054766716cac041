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


ENTRY = 'migrations."shop.0002"'
WRONG = {
    'limit = "1Gi"': (
        "tool.membudget: unknown setting 'limit'; the settings are migrations; "
        "settings for every migration are pytest options, such as membudget_limit"
    ),
    "migration = 5": (
        "unknown setting 'migration'; the settings are migrations; did you mean migrations?"
    ),
    "migrations = []": "tool.membudget.migrations is a list, expected an object",
    f"{ENTRY} = 5": f"tool.membudget.{ENTRY} is 5, expected an object",
    f"{ENTRY}.limt = 5": f"{ENTRY}: unknown setting 'limt'; the settings are limit,",
    f"{ENTRY}.limit = 1e3": f"{ENTRY}.limit is 1000.0, expected a whole number or a",
    f'{ENTRY}.rows."shop.Order" = []': f'{ENTRY}.rows."shop.Order" is a list, expect',
    "migrations.shop.0002_loop.limit = 5": "; write the migration's name in quotes",
    "migrations = " + "[" * 9_000: "pyproject.toml",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_pyproject(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.membudget]\n{text}\n")
    with pytest.raises(BudgetError) as raised:
        read_overrides(tmp_path)
    assert message in str(raised.value)
