"""Gathers the results of a run, from whichever process they come, and hands them to reports."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.plugin.screen import ScreenOfWorkers
from pytest_membudget.plugin.settings import Options


class Reporter(ScreenOfWorkers):
    """Registered where reports arrive: in the only process, or in xdist's controller."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._results: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "membudget", None)
        if result is not None:
            self._results[result["nodeid"]] = {**result, "outcome": _outcome(report)}

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            return
        results, options = self._in_order(), self._options
        if options.json is not None:
            from pytest_membudget.reports.json import write_json

            write_json(results, options.json.value)
        if options.html is not None:
            from pytest_membudget.reports.html import write_html
            from pytest_membudget.reports.json import document

            write_html(results, options.html.value, [document(results)["environment"]])
        if options.markdown is not None:
            from pytest_membudget.reports.markdown import write_markdown

            write_markdown(results, options.markdown.value)
        if results:
            from pytest_membudget.reports.markdown import append_to_step_summary

            append_to_step_summary(results)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._results:
            return
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
        for setting in (self._options.json, self._options.html, self._options.markdown):
            if setting is not None:
                terminalreporter.write_line(f"results written to {setting.value}")

    def _in_order(self) -> list[dict[str, Any]]:
        return [self._results[nodeid] for nodeid in sorted(self._results)]


def _outcome(report: pytest.TestReport) -> str:
    """What became of the test: ``passed``, ``failed``, or ``xfailed`` where that was expected."""
    if not hasattr(report, "wasxfail"):
        return report.outcome
    return "xfailed" if report.skipped else "xpassed"
