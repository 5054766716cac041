"""Each sentence of docs/safety.md names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text()


def named_tests() -> list[tuple[str, str]]:
    """Files and functions, where ``::name`` alone is one of the file before it."""
    found, file = [], ""
    for path, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", PAGE):
        file = path or file
        if path or name:
            found.append((file, name))
    return found


def test_the_named_tests_exist() -> None:
    missing = [
        (file, name)
        for file, name in named_tests()
        if not (ROOT / file).exists() or f"def {name}" not in (ROOT / file).read_text()
    ]
    assert missing == []


def test_each_promise_names_a_test() -> None:
    promises = [line for line in PAGE.splitlines() if line.startswith("| ")]
    promised = PAGE.partition("## What is not guaranteed")[0]
    rows = [line for line in promises if line in promised and not line.startswith("| ---")]
    silent = [
        row
        for row in rows
        if "tests/" not in row and "the same" not in row and "guarantee" not in row
    ]
    assert silent == []
    assert len(named_tests()) > 40
