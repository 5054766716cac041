"""Whether anything gathers in a run of many checks: memory, files, sessions, databases.

    python benchmarks/endurance.py [--checks 200]

One run of pytest on the bodies, as a project would have it: checks that are within the limit, that
exceed it, and that dry runs find the tables of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from lab import BODIES, HERE, keep, open_servers

from pytest_membudget.units import MIB

TESTS = """
import pytest

CHECKS = range({each})

@pytest.mark.membudget("readings.0003_iterator", rows={{"readings.Reading": 2_000}}, limit="512Mi")
@pytest.mark.parametrize("number", CHECKS)
def test_within(number): ...

@pytest.mark.xfail
@pytest.mark.membudget("readings.0002", rows={{"readings.Reading": 20_000}}, limit="45Mi")
@pytest.mark.parametrize("number", CHECKS)
def test_exceeds(number): ...

@pytest.mark.membudget("shop.0002", limit="512Mi")
@pytest.mark.parametrize("number", CHECKS)
def test_with_dry_runs(number): ...

@pytest.mark.membudget("articles.0003", limit="512Mi")
@pytest.mark.parametrize("number", CHECKS)
def test_of_another_app(number): ...
"""
TABLES = ("shop_customer", "shop_product", "shop_order", "shop_line", "articles_article")
# In turn, so that what gathers does so all along.
CONFTEST = """
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.callspec.params["number"])
"""


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--checks", type=int, default=200)
    checks = parser.parse_args().checks
    with tempfile.TemporaryDirectory() as folder:
        rows = run(Path(folder), checks)
    for row in rows:
        print({name: _shown(name, value) for name, value in row.items()})
    with open_servers() as servers:
        keep("endurance", rows, servers)


def run(folder: Path, checks: int) -> list[dict[str, Any]]:
    """What is in use after each tenth check."""
    profile = {
        "membudget_profile": 1,
        "database": {"vendor": "postgresql", "version": "15.4"},
        "taken": "2026-11-21",
        "exact": False,
        "tables": {name: {"rows": 500, "columns": {}} for name in TABLES},
    }
    for name, text in {
        "test_endurance.py": TESTS.format(each=checks // 4),
        "conftest.py": CONFTEST,
        "membudget.json": json.dumps(profile),
        "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\n",
    }.items():
        (folder / name).write_text(text)
    (folder / "tmp").mkdir()
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, (BODIES, HERE.parent / "tests", HERE.parent))),
        "IN_USE": str(folder / "in_use"),
        "TMPDIR": str(folder / "tmp"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "in_use", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=False)
    lines = (folder / "in_use").read_text().splitlines()
    left = [path.name for path in (folder / "tmp").iterdir()]
    if done.returncode or left:
        raise SystemExit(f"pytest ended with status {done.returncode} and left {left}")
    return [{"checks": n, **json.loads(lines[n - 1])} for n in range(10, len(lines) + 1, 10)]


def _shown(name: str, value: Any) -> Any:
    return f"{value / MIB:.1f} MiB" if name.endswith("_bytes") else value


if __name__ == "__main__":
    main()
