"""What a PostgreSQL server refuses is told with what mends it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import servers
from project import STREAM, Project

BUDGET = ('"shop.0002"', 'rows={"shop.Order": 300}', 'limit="512Mi"')

REFUSED = {
    "no CREATEDB": (
        "NOCREATEDB",
        None,
        "permission denied to create database; allow the role to create scratch databases: "
        'ALTER ROLE "ci" CREATEDB',
    ),
    "connection limit": ("CREATEDB CONNECTION LIMIT 1", None, "CONNECTION LIMIT -1"),
    "statement_timeout": (
        "CREATEDB",
        "statement_timeout = '2ms'",
        "canceling statement due to statement timeout; the role, the database or OPTIONS sets a ",
    ),
    "read-only": (
        "CREATEDB",
        "default_transaction_read_only = on",
        "(ALTER ROLE … SET default_transaction_read_only = off)",
    ),
}


@pytest.fixture
def budget(project: Project, postgresql: servers.Server) -> Project:
    project.migration("0002_stream", STREAM)
    project.budget(*BUDGET)
    return project


@pytest.fixture
def admin(postgresql: servers.Server) -> Iterator[psycopg.Connection]:
    with postgresql.connect() as connection:
        yield connection
        connection.execute("DROP ROLE IF EXISTS ci")


@pytest.mark.parametrize(("role", "setting", "cure"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_server_refuses(
    budget: Project,
    admin: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    setting: str | None,
    cure: str,
) -> None:
    admin.execute(f"CREATE ROLE ci LOGIN PASSWORD 'membudget' {role}")
    if setting is not None:
        admin.execute(f"ALTER ROLE ci SET {setting}")
    monkeypatch.setenv("PGUSER", "ci")
    result = budget.result()
    assert result["verdict"] == "error"
    assert cure in result["reason"]
    left = admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^membudget_'")
    assert left.fetchall() == []


def test_a_standby(budget: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.postgresql(standby=True) as standby:
        for name, value in standby.environment.items():
            monkeypatch.setenv(name, value)
        result = budget.result()
    assert result["verdict"] == "error"
    assert "; use a server and a role that can write: not a standby, and " in result["reason"]


def test_sessions_in_template1_are_in_nobodys_way(
    budget: Project, postgresql: servers.Server
) -> None:
    with postgresql.connect("template1"):
        assert budget.result()["verdict"] == "within"
