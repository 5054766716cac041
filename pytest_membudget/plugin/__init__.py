"""The pytest plugin: options, marker, fixture and hooks.

Nothing heavy is imported here: a project without a ``membudget`` marker pays for the options.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_membudget.budget.options import Options, header
from pytest_membudget.plugin.options import add_options, read_options
from pytest_membudget.plugin.reporter import LEFT, WAITING, Reporter, hint_of_last_run

if TYPE_CHECKING:
    from pytest_membudget.plugin.memory_budget import MemoryBudget
    from pytest_membudget.processes.server.client import ServerClients

_options = pytest.StashKey[Options]()
_servers: pytest.StashKey[ServerClients] = pytest.StashKey()
budget_key: pytest.StashKey[MemoryBudget] = pytest.StashKey()
_problem = pytest.StashKey[str]()

_MARKER = (
    "membudget(migration, *, rows=None, limit=None, database='default', seed=None, "
    "reverse=False, time_budget=None, max_duration=None, limit_server=None): fail unless the "
    "migration's peak memory at production's row counts fits the limit, and its duration and the "
    "database server's memory those that are given."
)


class MembudgetWarning(pytest.PytestWarning):
    """An inconclusive verdict, with ``membudget_inconclusive = warn``."""

    __module__ = "pytest_membudget"


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    config.stash[_options] = read_options(config)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(config.stash[_options]), "membudget-reporter")
        if config.stash[_options].rebuild.value == "yes":
            _remove_kept_states(config)
    gate = config.stash[_options].gate
    if gate is not None:
        from pytest_membudget.plugin.gate import Gate

        config.pluginmanager.register(Gate(config, gate.value), "membudget-gate")


def _remove_kept_states(config: pytest.Config) -> None:
    from pytest_membudget.database.kept_states import FOLDER, KeptStates

    try:
        KeptStates(config.rootpath / FOLDER).clear()
    except OSError as error:
        raise pytest.UsageError(f"membudget_rebuild: {error}") from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    options = config.stash[_options]
    return [*filter(None, [header(options)]), *hint_of_last_run(config, options)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marked = [
        item
        for item in items
        if item.get_closest_marker("membudget") is not None
        or "membudget" in getattr(item, "fixturenames", ())
        or (hasattr(item, "gated") and item.gated.irreversible is None)
    ]
    if not marked:
        return
    from pytest_membudget.database.kept_states import FOLDER
    from pytest_membudget.errors import BudgetError
    from pytest_membudget.plugin.memory_budget import make_memory_budget
    from pytest_membudget.processes.embedded.client import EmbeddedServer
    from pytest_membudget.processes.server.client import ServerClients
    from pytest_membudget.texts import log_text, visible

    version = config.stash[_options].server.value
    embedded = None if version is None else EmbeddedServer(version)
    cache = str(config.rootpath / FOLDER)
    servers = config.stash.setdefault(_servers, ServerClients(embedded, cache))
    problems: dict[str, list[str]] = {}
    for item in marked:
        try:
            item.stash[budget_key] = make_memory_budget(item, config.stash[_options], servers)
        except BudgetError as error:
            problem = log_text(visible(str(error)))
            item.stash[_problem] = f"{item.nodeid}: membudget: {problem}"
            problems.setdefault(problem, []).append(item.nodeid)
    lines = []
    for problem, (first, *others) in problems.items():
        more = f" and {len(others)} more" if others else ""
        lines.append(f"{first}{more}: membudget: {problem}")
    if lines and not hasattr(config, "workerinput"):
        raise pytest.UsageError(*lines)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Under xdist a usage error would be lost on its way, so there it is the test's own error."""
    if _problem in item.stash:
        pytest.fail(item.stash[_problem], pytrace=False)


@pytest.fixture
def membudget(request: pytest.FixtureRequest) -> MemoryBudget:
    """The budget of this test's marker; ``membudget.check()`` measures it.

    ``check()`` fails the test when the verdict is not ``within``; else it returns the Result.
    """
    return request.node.stash[budget_key]  # type: ignore[no-any-return]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    guard = item.stash.get(budget_key, None)
    if guard is not None:
        guard.result = None  # a plugin may run the same item again
    yield
    if guard is not None and guard.result is None:
        guard.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    guard = item.stash.get(budget_key, None)
    if call.when == "call" and guard is not None and guard.result is not None:
        report.__dict__["membudget"] = guard.result.to_dict()
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End the servers before the summary, which names what they could not remove."""
    servers = session.config.stash.get(_servers, None)
    if servers is None:
        return
    output = {WAITING: servers.waiting_for_disk}
    output[LEFT] = servers.close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput.update(output)
    else:
        session.config.pluginmanager.getplugin("membudget-reporter").add(output)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Where the run did not get as far as its end."""
    if _servers in config.stash:
        config.stash[_servers].close(interrupted=True)
