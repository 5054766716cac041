from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import machine
import pytest
import servers
from leftovers import Leftovers
from project import Project

pytest_plugins = ["pytester"]


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by cost: where a test lies says what it starts, its fixtures which server."""
    for item in items:
        if HERE / "e2e" in item.path.parents:
            item.add_marker("slow")
        call = getattr(item, "callspec", None)
        vendor = call.params.get("vendor") if call else None
        needed = (*getattr(item, "fixturenames", ()), vendor)
        if "postgresql" in needed and HERE / "unit" not in item.path.parents:
            item.add_marker("postgresql")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark, need in machine.NEEDS.items():
        if item.get_closest_marker(mark) and not need.there:
            if machine.STRICT:
                pytest.fail(need.reason, pytrace=False)
            pytest.skip(need.reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if line := machine.summary(str(one.longrepr[2]).removeprefix("Skipped: ") for one in skipped):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.Server]:
    """A PostgreSQL server; a machine without one fails here, it never skips."""
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[servers.MariaDB]:
    """A MariaDB server, of which PyPI has no binaries: its tests are marked ``mariadb``."""
    with servers.mariadb() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's own, so that what is left in it can be counted."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def left_behind(request: pytest.FixtureRequest, temporary: Path, vendor: str) -> Leftovers:
    """What the runs of this test have left."""
    server = request.getfixturevalue("postgresql") if vendor == "postgresql" else None
    return Leftovers(temporary, server)


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
