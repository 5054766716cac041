"""Gathers the results of a run, from whichever process they come, and hands them to reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_membudget.budget.options import Options
from pytest_membudget.plugin.terminal_info import ScreenOfWorkers

if TYPE_CHECKING:
    from pytest_membudget.judge.result import Result

# What the worker of an xdist run could not remove, in its output.
LEFT = "membudget_left"


class Reporter(ScreenOfWorkers):
    """Registered where reports arrive: in the only process, or in xdist's controller."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._results: dict[str, Result] = {}
        self._problems: dict[str, str] = {}
        self.left: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left += getattr(node, "workeroutput", {}).get(LEFT, [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        figures = getattr(report, "membudget", None)
        if figures is not None:
            from pytest_membudget.judge.result import Result

            result = Result.from_dict({**figures, "outcome": _outcome(report)})
            self._results[result.nodeid] = result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A report that can't be written loses no other one, and fails the run."""
        reports = [] if session.config.option.collectonly else self._reports()
        if not reports:
            return
        from pytest_membudget.files import write_each

        self._problems = write_each(reports)
        if self._problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _reports(self) -> list[tuple[str, Callable[[], None]]]:
        results = self._in_order()
        reports: list[tuple[str, Callable[[], None]]] = [
            (f"--membudget-{name}", partial(write, results, setting.value))
            for name, write in _WRITERS.items()
            if (setting := getattr(self._options, name)) is not None
        ]
        if results:
            reports.append(("GITHUB_STEP_SUMMARY", partial(_append_to_step_summary, results)))
        return reports

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._name_leftovers(terminalreporter)
        if self._results:
            self._show_results(terminalreporter)
        for name, problem in self._problems.items():
            terminalreporter.write_line(f"ERROR: {name}: {problem}", red=True)

    def _show_results(self, terminalreporter: pytest.TerminalReporter) -> None:
        from pytest_membudget.reports.annotations import workflow_commands
        from pytest_membudget.reports.terminal import notes, summary

        terminal, results = terminalreporter._tw, self._in_order()
        terminalreporter.section("memory budgets")
        for line in (
            *summary(results, terminal.fullwidth, color=terminal.hasmarkup),
            *notes(results),
            *workflow_commands(results),
        ):
            terminalreporter.write_line(line)
        for name in _WRITERS:
            setting = getattr(self._options, name)
            if setting is not None and f"--membudget-{name}" not in self._problems:
                terminalreporter.write_line(f"results written to {setting.value}")

    def _name_leftovers(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left:
            terminalreporter.write_sep("=", "not removed by membudget", yellow=True)
            terminalreporter.write_line(
                "The next run removes these; to remove them now, use the commands:"
            )
            for text in self.left:
                terminalreporter.write_line(text)

    def _in_order(self) -> list[Result]:
        return [self._results[nodeid] for nodeid in sorted(self._results)]


def _write_json(results: list[Result], path: str) -> None:
    from pytest_membudget.reports.document import write_json

    write_json(results, path)


def _write_html(results: list[Result], path: str) -> None:
    from pytest_membudget.reports.document import Environment
    from pytest_membudget.reports.html import write_html

    write_html(results, path, [Environment.of_this_process()])


def _write_markdown(results: list[Result], path: str) -> None:
    from pytest_membudget.reports.markdown import write_markdown

    write_markdown(results, path)


def _append_to_step_summary(results: list[Result]) -> None:
    from pytest_membudget.reports.markdown import append_to_step_summary

    append_to_step_summary(results)


_WRITERS = {"json": _write_json, "html": _write_html, "markdown": _write_markdown}


def _outcome(report: pytest.TestReport) -> str:
    """What became of the test: ``passed``, ``failed``, or ``xfailed`` where that was expected."""
    if not hasattr(report, "wasxfail"):
        return report.outcome
    return "xfailed" if report.skipped else "xpassed"
