"""``membudget.budget()``: the marker as a typed function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import membudget
from pytest_membudget.budget.request import _READERS, read_marker
from pytest_membudget.plugin.mark import Arguments

ROWS = {"shop.Order": 1_700_000}


def test_it_is_the_mark() -> None:
    mark = membudget.budget("shop.0002", rows=ROWS, limit="512Mi")
    assert mark == pytest.mark.membudget("shop.0002", rows=ROWS, limit="512Mi")
    request = read_marker(mark.args, mark.kwargs)
    assert (request.rows, request.limit) == (ROWS, 512 * 1024**2)


def test_it_knows_all_arguments_of_the_marker() -> None:
    assert {"migration", *Arguments.__annotations__} == set(_READERS)


def test_a_type_checker_refuses_wrong_arguments(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is in the extra lint")
    lines = {
        'membudget.budget("shop.0002", rows={"shop.Order": 5}, limit="512Mi", reverse=True)': "",
        'membudget.budget(["shop.0002", ("shop", "0003")], limit=5_000_000)': "",
        'membudget.budget("shop.0002", limit=None)': "arg-type",
        'membudget.budget("shop.0002", limt="512Mi")': "call-arg",
        'membudget.budget("shop.0002", rows=["shop.Order"])': "arg-type",
    }
    file = tmp_path / "tests.py"
    file.write_text("\n".join(["import membudget", *lines]))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(file)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(line.split(":")[1]): line for line in done.stdout.splitlines() if "error:" in line}
    expected = {number: code for number, code in enumerate(lines.values(), start=2) if code}
    assert set(found) == set(expected), done.stdout
    for number, code in expected.items():
        assert f"[{code}]" in found[number]
