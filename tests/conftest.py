from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
import servers
from project import Project

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.Server]:
    """A PostgreSQL server; a machine without one fails here, it never skips."""
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[servers.MariaDB]:
    """A MariaDB server, of which PyPI has no binaries: a machine without one skips, CI fails."""
    if shutil.which("mariadbd") is None and not os.environ.get("CI"):
        pytest.skip("no MariaDB: install Debian's mariadb-server")
    with servers.mariadb() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Project:
    """A Django project with a ``shop`` app; on PostgreSQL where the test asks for that server."""
    names = request.fixturenames
    on = request.getfixturevalue("vendor") if "vendor" in names else None
    if on == "postgresql" or (on is None and "postgresql" in names):
        server = request.getfixturevalue("postgresql")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        return Project(pytester, "postgresql")
    return Project(pytester, "sqlite")
