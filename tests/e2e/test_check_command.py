"""``membudget check`` from outside: what it prints, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from project import LOOP, STREAM, Project

from pytest_membudget import __version__
from pytest_membudget.database.kept_states import FOLDER

LOOKS_FOR = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.extra(where=["note LIKE number || '!'"]):
        order.save()
"""
ROWS = "--rows=shop.Order=20_000"


@pytest.fixture
def shop(project: Project) -> Project:
    project.migration("0002_loop", LOOP)
    project.migration("0003_stream", STREAM)
    project.migration("0004_looks_for", LOOKS_FOR)
    return project


def membudget(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest_membudget", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("migration", "limit", "status", "words"),
    [
        ("shop.0003", "512Mi", 0, "within"),
        ("shop.0002_loop", "50Mi", 1, "exceeds"),
        ("shop.0004", "512Mi", 3, "inconclusive"),
        ("shop.0009", "512Mi", 2, "no migration"),
        ("all", "512Mi", 2, "write app_label.name"),
        ("shop.0003", "many", 2, "limit"),
    ],
)
def test_the_exit_status_says_what_came_out(
    shop: Project, migration: str, limit: str, status: int, words: str
) -> None:
    done = membudget("check", migration, ROWS, f"--limit={limit}")
    output = done.stdout + done.stderr
    assert done.returncode == status, output
    assert words in output


def test_results_are_written(shop: Project) -> None:
    """The project's own tests are not run, and nothing but kept states is left behind."""
    shop.write("test_other.py", "raise SystemExit('imported')")
    before = {path.name for path in shop.path.iterdir()}
    done = membudget("check", "shop.0003", ROWS, "--limit=512Mi", "--json=found.json")
    assert done.returncode == 0, done.stdout + done.stderr
    [result] = json.loads((shop.path / "found.json").read_text())["results"]
    assert result["migration"] == "shop.0003_stream"
    assert {path.name for path in shop.path.iterdir()} - before <= {
        "found.json", "__pycache__", FOLDER
    }  # fmt: skip


MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def test_manage_py_has_it_from_any_folder(shop: Project, tmp_path: Path) -> None:
    """The ini file, which has the settings of pytest-django, is not found from there."""
    shop.write("manage.py", MANAGE)
    shop.add("settings.py", "INSTALLED_APPS.append('pytest_membudget')")
    elsewhere = tmp_path / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere / "pytest.ini").write_text("[pytest]\n")
    manage = [sys.executable, str(shop.path / "manage.py"), "membudget", "check", "shop.0002_loop"]
    done = subprocess.run(
        [*manage, ROWS, "--limit=50Mi"], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "exceeds" in done.stdout


def test_the_version() -> None:
    assert membudget("--version").stdout == f"membudget {__version__}\n"
