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
        if vendor == "sqlite":
            name = str(tmp_path_factory.mktemp("seeding") / "base.sqlite3")
            database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
            apps = [*APPS[vendor], *apps]
        else:
            server = request.getfixturevalue("postgresql")
            name, there = f"seeding_{uuid.uuid4().hex[:8]}", APPS[vendor]
            if not {"hstore", "citext"} <= _prepare(server, name, role):
                there = there[:-1]
            apps = [*there, *apps]
            database = {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "HOST": server.host,
                "PORT": str(server.port),
                "USER": server.user,
                "PASSWORD": server.password,
                "OPTIONS": {"assume_role": role},
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


def _prepare(server: Any, name: str, role: str) -> set[str]:
    """Make a database of this role's; returns the extensions that the server could add to it."""
    import psycopg

    with psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=server.dbname,
        autocommit=True,
    ) as connection:
        if role != server.user:
            connection.execute(f"CREATE ROLE {role} CREATEDB")
        connection.execute(f"CREATE DATABASE {name} OWNER {role}")
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
