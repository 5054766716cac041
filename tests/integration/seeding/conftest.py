"""Runs cases of seeding in a process that has the awkward models, on either database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from seeding_cases import APPS, HERE, ROOT, Run, all_cases


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``run(vendor, cases)`` -> the results by the names of the cases."""

    def run(
        vendor: str,
        cases: dict[str, Any],
        *,
        hash_seed: str = "0",
        role: str = "postgres",
        apps: Sequence[str] = (),
        **more: Any,
    ) -> Any:
        apps = [*APPS[vendor], *apps]
        if vendor == "sqlite":
            name = str(tmp_path_factory.mktemp("seeding") / "base.sqlite3")
            database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
        elif vendor == "mysql":
            server = request.getfixturevalue("mariadb")
            name = f"seeding_{uuid.uuid4().hex[:8]}"
            server.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            database = server.database(name)
        else:
            server = request.getfixturevalue("postgresql")
            name = f"seeding_{uuid.uuid4().hex[:8]}"
            with server.connect() as connection:
                if role != server.user:
                    connection.execute(f"CREATE ROLE {role} CREATEDB")
                connection.execute(f"CREATE DATABASE {name} OWNER {role}")
                available = connection.execute("SELECT name FROM pg_available_extensions")
                if not {("hstore",), ("citext",)} <= set(available.fetchall()):
                    apps.remove("awkward_extensions")
            database = server.database(name, OPTIONS={"assume_role": role})
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


@pytest.fixture(scope="session")
def everything(run: Run) -> Callable[[str], dict[str, Any]]:
    """Every model that can be seeded, in an empty database each, grown in three steps."""
    found: dict[str, dict[str, Any]] = {}

    def results(vendor: str) -> dict[str, Any]:
        if vendor not in found:
            found[vendor] = run(vendor, all_cases(vendor))
        return found[vendor]

    return results
