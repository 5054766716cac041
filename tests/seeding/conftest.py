"""Runs cases of seeding in a process that has the awkward models, on either database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STEPS = (1000, 1700, 2500)
IMPOSSIBLE = {"Grade", "TooNarrow", "Impossible", "Unloadable", "Limited", "Unlucky"}

Run = Callable[..., dict[str, Any]]


def labels(app: str) -> list[str]:
    """The models of an app that can be seeded, read without Django."""
    source = (HERE / app / "models.py").read_text()
    names = re.findall(
        r"^class (\w+)\((?:models\.Model|\w*Place|Stamped|Restaurant)\)", source, re.M
    )
    return [f"{app}.{name}" for name in names if name not in {*IMPOSSIBLE, "Stamped"}]


APPS = {
    "sqlite": ["awkward"],
    "postgresql": ["awkward", "awkward_postgresql", "awkward_extensions"],
}
EVERY = [(vendor, label) for vendor, apps in APPS.items() for app in apps for label in labels(app)]


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``run(vendor, cases)`` -> the results by the names of the cases."""

    def run(vendor: str, cases: dict[str, Any], *, hash_seed: str = "0", **more: Any) -> Any:
        if vendor == "sqlite":
            name = str(tmp_path_factory.mktemp("seeding") / "base.sqlite3")
            database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
            apps = APPS[vendor]
        else:
            server = request.getfixturevalue("postgresql")
            name, apps = f"seeding_{uuid.uuid4().hex[:8]}", APPS[vendor]
            if not {"hstore", "citext"} <= _prepare(server, name):
                apps = apps[:-1]
            database = {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "HOST": server.host,
                "PORT": str(server.port),
                "USER": server.user,
                "PASSWORD": server.password,
                **more.pop("database", {}),
            }
        done = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "runner.py")],
            input=json.dumps({"database": database, "apps": apps, "cases": cases, **more}),
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _prepare(server: Any, name: str) -> set[str]:
    """Make a database; returns the extensions that the server could add to it."""
    import psycopg

    with psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=server.dbname,
        autocommit=True,
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        return {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}


@pytest.fixture(scope="session")
def everything(run: Run) -> Callable[[str], dict[str, Any]]:
    """Every model that can be seeded, on a database of its own each, grown in three steps."""
    found: dict[str, dict[str, Any]] = {}

    def results(vendor: str) -> dict[str, Any]:
        if vendor not in found:
            found[vendor] = run(vendor, all_cases(vendor))
        return found[vendor]

    return results


def all_cases(vendor: str) -> dict[str, Any]:
    wanted = [label for where, label in EVERY if where == vendor]
    return {label: {"ladder": [{label: step} for step in STEPS]} for label in wanted}
