from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import batch
import machine
import pytest
import servers
from leftovers import Leftovers
from project import Project

pytest_plugins = ["pytester"]


HERE = Path(__file__).parent
# The fixture of each engine's server.
SERVERS = {"postgresql": "postgresql", "mysql": "mariadb"}
# Where bytecode is not written, as in many containers, each of some thousand processes compiles the
# package, and pytest rewrites its assertions each time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by cost: where a test lies says what it starts, its fixtures which server."""
    for item in items:
        if HERE / "e2e" in item.path.parents:
            item.add_marker("slow")
        call = getattr(item, "callspec", None)
        vendor = call.params.get("vendor") if call else None
        needed = (*getattr(item, "fixturenames", ()), vendor)
        if HERE / "unit" in item.path.parents:
            continue
        for name, mark in (("postgresql", "postgresql"), ("mysql", "mariadb")):
            if name in needed:
                item.add_marker(mark)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker for the tests of a module and an engine, which share runs; the long ones first."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModuleAndEngine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module, _, test = nodeid.partition("::")
            engines = (engine for engine in ("postgresql", "mysql") if engine in test)
            return "-".join([module, *engines])

    config.option.loadscopereorder = False
    return ByModuleAndEngine(config, log)


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
    return Leftovers(temporary, request.getfixturevalue("server"))


@pytest.fixture
def server(request: pytest.FixtureRequest, vendor: str) -> servers.Server | servers.MariaDB | None:
    """That of the test's engine, if it has one."""
    name = SERVERS.get(vendor)
    return request.getfixturevalue(name) if name else None


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Project:
    """A Django project with a ``shop`` app; on PostgreSQL where the test asks for that server."""
    names = request.fixturenames
    on = request.getfixturevalue("vendor") if "vendor" in names else None
    used = (vendor for vendor, fixture in SERVERS.items() if fixture in names)
    project = _project(tmp_path, on or next(used, "sqlite"), request)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return project


def _project(path: Path, vendor: str, request: pytest.FixtureRequest) -> Project:
    server = SERVERS.get(vendor)
    return Project(path, vendor, request.getfixturevalue(server).environment if server else {})


@pytest.fixture(scope="session")
def batches() -> dict[batch.Batch, dict[pytest.Item, Any]]:
    """The results of each batch that has run, by test."""
    return {}


@pytest.fixture
def result(
    request: pytest.FixtureRequest,
    batches: dict[batch.Batch, dict[pytest.Item, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What came out of the check that the mark ``checks`` of the test says, see batch.py."""
    its = batch.batch_of(request.node)
    assert its is not None, "the test has the mark checks"
    if its not in batches:
        items = [item for item in request.session.items if batch.batch_of(item) == its]
        batches[its] = dict.fromkeys(items)
        project = _project(tmp_path_factory.mktemp("batch"), its.vendor, request)
        getattr(request.module, "prepare", lambda project: None)(project)
        found = batch.run(its, [batch.check_of(item) for item in items], project)
        batches[its] = dict(zip(items, found, strict=True))
    found = batches[its][request.node]
    assert found is not None, "no result: the output of the first test of this batch says why"
    return dict(found)
