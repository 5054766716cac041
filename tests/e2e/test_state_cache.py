"""States are kept between runs and shared by workers, as a user of pytest meets that."""

from __future__ import annotations

import subprocess
import sys

import pytest
from leftovers import Leftovers
from project import FEW, LIMIT, STREAM, Project

from pytest_membudget.database.kept_states import FOLDER

NOTE = """
def forwards(apps, schema_editor):
    with open({path!r}, "a") as file:
        file.write("built\\n")
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """Two checks far behind a migration that takes note of being applied."""
    project.migration("0002_note", NOTE.format(path=str(project.path / "built")))
    for number in range(3, 31):
        project.migration(f"{number:04}_stream", STREAM)
    project.budgets(('"shop.0029"', FEW, LIMIT), ('"shop.0030"', FEW, LIMIT))
    return project


def built(shop: Project, *arguments: str) -> int:
    """How often the state was built in all runs, after one more, in which all is well."""
    results = shop.results(*arguments)
    assert [one["verdict"] for one in results] == ["within", "within"]
    assert [one["samples"][-1]["rows_read"] for one in results] == [15, 15]
    return len((shop.path / "built").read_text().splitlines())


def membudget(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest_membudget", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_second_run_builds_nothing(shop: Project) -> None:
    folder = shop.path / FOLDER
    assert membudget("cache") == f"no states are kept in {shop.path} or a folder above it"
    assert built(shop) == 1
    assert built(shop) == 1
    assert membudget("cache").startswith(f"{folder}: 2 states, ")
    assert built(shop, "--membudget-rebuild") == 2
    assert built(shop) == 2
    shop.add("shop/migrations/0002_note.py", "# changed")
    assert built(shop) == 3
    assert membudget("cache", "--clear").endswith(", removed")
    assert not folder.exists()
    assert built(shop) == 4
    shop.add("pytest.ini", "membudget_rebuild = yes")
    assert built(shop) == 5


def test_workers_share_states(shop: Project) -> None:
    assert built(shop, "-n2", "--membudget-rebuild") == 1
    assert built(shop, "-n2") == 1


def test_the_gate_uses_the_states_of_marked_tests(shop: Project) -> None:
    assert built(shop) == 1
    shop.profile({"shop_order": 15}, note=1)
    result = shop.result("--membudget-gate=shop.0029", "--membudget-limit=512Mi")
    assert result["verdict"] == "within"
    assert built(shop) == 1


def test_nothing_is_kept_of_postgresql_and_nothing_is_left(
    shop: Project, vendor: str, left_behind: Leftovers
) -> None:
    assert built(shop) == 1
    assert (shop.path / FOLDER).exists() == (vendor == "sqlite")
    assert left_behind.after_a_while() == []
