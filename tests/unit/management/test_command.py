"""``manage.py membudget``, and what the app costs a process that does not call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from profiles import write_project
from results import result
from results import write_results as write

from pytest_membudget import __version__

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
LOADED = """
import json, sys, django
before = set(sys.modules)
django.setup()
print(json.dumps(sorted(one for one in set(sys.modules) - before if "membudget" in one)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": "not-there"})
    with (tmp_path / "settings.py").open("a") as file:
        file.write('\nINSTALLED_APPS = [*INSTALLED_APPS, "pytest_membudget"]\n')
    (tmp_path / "manage.py").write_text(MANAGE)
    return tmp_path


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: its for name, its in os.environ.items() if not name.startswith("DJANGO")}
    command = [sys.executable, str(folder / "manage.py"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_it_has_the_sub_commands_and_statuses_of_the_command(folder: Path) -> None:
    file = write(folder / "results.json", result())
    done = manage(folder, "membudget", "report", file, "--markdown", "text.md")
    assert done.returncode == 0, done.stderr
    assert "shop.0002_backfill_total" in done.stdout
    assert "Memory budgets" in (folder / "text.md").read_text()
    options = ("--settings=settings", "--pythonpath", ".")
    wrong = manage(folder, "membudget", "report", *options, "missing.json")
    assert wrong.returncode == 2
    assert "manage.py membudget report: error: missing.json: no such file" in wrong.stderr
    assert manage(folder, "membudget", "--version").stdout == f"membudget {__version__}\n"


def test_its_help_is_that_of_the_command(folder: Path) -> None:
    for arguments in (("membudget", "--help"), ("help", "membudget")):
        assert "usage: manage.py membudget" in manage(folder, *arguments).stdout
    assert "membudget" in manage(folder, "help").stdout


def test_it_has_the_settings_of_manage_py(folder: Path) -> None:
    done = manage(folder, "membudget", "profile", "--database", "nowhere")
    assert done.returncode == 2
    assert "there is no database 'nowhere'" in done.stderr


def test_it_can_be_called_from_code(folder: Path) -> None:
    write(folder / "results.json", result())
    code = "import django; django.setup(); from django.core.management import call_command; "
    code += 'call_command("membudget", "report", "results.json")'
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "shop.0002_backfill_total" in done.stdout


def test_the_app_imports_nothing_into_a_process_that_is_measured(folder: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=folder, env=environment, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == ["pytest_membudget"]
