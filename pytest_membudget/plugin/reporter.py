"""Collects the results of a run, from whichever process they come, and writes the reports."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_membudget.budget.options import Options

if TYPE_CHECKING:
    from pytest_membudget.judge.result import Result
    from pytest_membudget.reports.results_so_far import ResultsSoFar

# In the output of a worker of an xdist run: what it could not remove, and the aliases whose server
# waits for its disk, which the cache keeps for the header of the next run.
LEFT, WAITING = "membudget_left", "membudget_waiting"
_CACHED = "membudget/waits_for_disk"
# What such a worker finds in its input.
_TERMINAL = "membudget_terminal"
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


class Reporter:
    """Registered where reports arrive: in the only process, or in xdist's controller."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._results: dict[str, Result] = {}
        self._so_far: ResultsSoFar | None = None
        self._problems: dict[str, str] = {}
        self._left: list[str] = []
        self._waiting: set[str] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_TERMINAL] = terminal_info(node.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.add(getattr(node, "workeroutput", {}))

    def add(self, output: Mapping[str, Any]) -> None:
        """What a process has to say at its end."""
        self._left += output.get(LEFT, [])
        self._waiting |= {*output.get(WAITING, [])}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if self._options.json is not None and not session.config.option.collectonly:
            from pytest_membudget.reports.results_so_far import ResultsSoFar

            self._so_far = ResultsSoFar(self._options.json.value)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        figures = getattr(report, "membudget", None)
        if figures is not None:
            from pytest_membudget.judge.result import Result

            outcome: str = report.outcome
            if hasattr(report, "wasxfail"):
                outcome = "xfailed" if report.skipped else "xpassed"
            result = Result.from_dict({**figures, "outcome": outcome})
            self._results[result.nodeid] = result
            if self._so_far is not None:
                self._so_far.add(result)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A report that can't be written loses no other one, and fails the run."""
        paths = {} if session.config.option.collectonly else self._paths()
        if not paths:
            return
        from pytest_membudget.reports.output import write_reports

        self._problems = write_reports(self._in_order(), paths)
        if self._problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _paths(self) -> dict[str, str]:
        """The files that were asked for, by the format of the report."""
        settings = {name: getattr(self._options, name) for name in ("json", "html", "markdown")}
        paths = {name: setting.value for name, setting in settings.items() if setting is not None}
        summary = os.environ.get(_STEP_SUMMARY)
        return {**paths, _STEP_SUMMARY: summary} if summary and self._results else paths

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left:
            terminalreporter.write_sep("=", "not removed by membudget", yellow=True)
            hint = "The next run removes these; to remove them now, use the commands:"
            for text in (hint, *self._left):
                terminalreporter.write_line(text)
        if self._results:
            self._show_results(terminalreporter)
        for name, problem in self._problems.items():
            where = name if name == _STEP_SUMMARY else f"--membudget-{name}"
            terminalreporter.write_line(f"ERROR: {where}: {problem}", red=True)
        if self._results:
            for line in _hint(self._waiting):
                terminalreporter.write_line(line)
            if (cache := getattr(terminalreporter.config, "cache", None)) is not None:
                cache.set(_CACHED, sorted(self._waiting))

    def _show_results(self, terminalreporter: pytest.TerminalReporter) -> None:
        from pytest_membudget.reports.annotations import workflow_commands
        from pytest_membudget.reports.terminal import notes, summary, times

        terminal, results = terminalreporter._tw, self._in_order()
        terminalreporter.section("memory budgets")
        for line in (
            *summary(results, terminal.fullwidth, color=terminal.hasmarkup),
            *notes(results),
            *self._about_baseline(results),
            *(times(results) if terminalreporter.verbosity > 0 else ()),
            *workflow_commands(results),
        ):
            terminalreporter.write_line(line)
        for name, path in self._paths().items():
            if name not in (_STEP_SUMMARY, *self._problems):
                terminalreporter.write_line(f"results written to {path}")

    def _about_baseline(self, results: Sequence[Result]) -> list[str]:
        from pytest_membudget.errors import BudgetError
        from pytest_membudget.reports.baseline import baseline_of

        try:
            baseline = baseline_of(self._options)
        except BudgetError:  # its file has changed; each test has said what is wrong
            return []
        return baseline.notes(results) if baseline else []

    def _in_order(self) -> list[Result]:
        return [self._results[nodeid] for nodeid in sorted(self._results)]


def hint_of_last_run(config: pytest.Config, options: Options) -> list[str]:
    """A line for the header; before its first check a run does not know its server."""
    cache = getattr(config, "cache", None)
    if cache is None or options.server.value is not None:
        return []
    return [f"{line} (as in the last run)" for line in _hint(cache.get(_CACHED, []))]


def _hint(aliases: Iterable[str]) -> list[str]:
    """A line that says how checks on these aliases get quicker; none where there are none."""
    if not (names := ", ".join(map(repr, sorted(aliases)))):
        return []
    from pytest_membudget.processes.embedded.cluster import QUICK

    settings = " ".join(f"-c {name}={value}" for name, value in QUICK.items())
    return [
        f"membudget: the PostgreSQL server of {names} waits for its disk; checks are quicker with "
        f"membudget_server = embedded, or on a server that is started with {settings}"
    ]


def terminal_info(config: pytest.Config) -> tuple[int, bool]:
    """Columns of the terminal, under xdist the controller's, and whether it shows Braille."""
    if hasattr(config, "workerinput"):
        width, unicode = config.workerinput[_TERMINAL]
        return width, unicode
    if config.pluginmanager.hasplugin("terminalreporter"):
        width = config.get_terminal_writer().fullwidth
    else:
        width = shutil.get_terminal_size().columns
    try:
        "\u28ff".encode(getattr(sys.__stdout__, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return width, False
    return width, True
