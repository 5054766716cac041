"""What a PostgreSQL server refuses is told with what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import servers
from project import FEW, LIMIT, STREAM, Project

REFUSED = {
    "no_createdb": (
        "NOCREATEDB",
        None,
        "permission denied to create database; allow the role to create scratch databases: "
        'ALTER ROLE "no_createdb" CREATEDB',
    ),
    "connection_limit": ("CREATEDB CONNECTION LIMIT 1", None, "CONNECTION LIMIT -1"),
    "statement_timeout": (
        "CREATEDB",
        "statement_timeout = '2ms'",
        "canceling statement due to statement timeout; the role, the database or OPTIONS sets a ",
    ),
    "read_only": (
        "CREATEDB",
        "default_transaction_read_only = on",
        "(ALTER ROLE … SET default_transaction_read_only = off)",
    ),
}


@pytest.fixture
def admin(postgresql: servers.Server) -> Iterator[psycopg.Connection]:
    """Of a server that has these roles."""
    with postgresql.connect() as connection:
        for role, (attributes, setting, _) in REFUSED.items():
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'membudget' {attributes}")
            if setting is not None:
                connection.execute(f"ALTER ROLE {role} SET {setting}")
        yield connection
        for role in REFUSED:
            connection.execute(f"DROP ROLE {role}")


@pytest.fixture
def standby() -> Iterator[servers.Server]:
    with servers.postgresql(standby=True) as server:
        yield server


def test_what_the_server_refuses(
    project: Project,
    postgresql: servers.Server,
    admin: psycopg.Connection,
    standby: servers.Server,
) -> None:
    """Each role and the standby is an alias; sessions in template1 are in nobody's way."""
    # To copy a template with sessions, PostgreSQL waits 5 s for their end.
    free = {"TEST": {"TEMPLATE": "template0"}}
    others: dict[str, dict[str, Any]] = {role: {"USER": role, **free} for role in REFUSED}
    others["standby"] = {"PORT": standby.port}
    for alias, settings in others.items():
        different = f"DATABASES[{alias!r}] = {{**DATABASES['default'], **{settings}}}"
        project.add("settings.py", different)
    project.migration("0002_stream", STREAM)
    project.budgets(
        *(('"shop.0002"', FEW, LIMIT, f'database="{alias}"') for alias in ("default", *others))
    )
    with postgresql.connect("template1"):
        fine, *refused = project.results()
    assert fine["verdict"] == "within"
    cures = [cure for _, _, cure in REFUSED.values()]
    cures.append("; use a server and a role that can write: not a standby, and ")
    for result, cure in zip(refused, cures, strict=True):
        assert result["verdict"] == "error"
        assert cure in result["reason"]
    left = admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^membudget_'")
    assert left.fetchall() == []
