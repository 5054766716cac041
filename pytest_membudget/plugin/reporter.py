"""Gathers the results of a run, from whichever process they come, and hands them to reports."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.plugin.options import Setting


class Reporter:
    """Registered where reports arrive: in the only process, or in xdist's controller."""

    def __init__(self, json: Setting | None) -> None:
        self._json = json
        self._results: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "membudget", None)
        if result is not None:
            self._results[result["nodeid"]] = result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._json is not None and not session.config.option.collectonly:
            from pytest_membudget.reports.json import write_json

            write_json(self._in_order(), self._json.value)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._results:
            return
        from pytest_membudget.reports.terminal import notes, summary

        terminal = terminalreporter._tw
        terminalreporter.section("memory budgets")
        for line in summary(self._in_order(), terminal.fullwidth, color=terminal.hasmarkup):
            terminalreporter.write_line(line)
        for line in notes(self._in_order()):
            terminalreporter.write_line(line)
        if self._json is not None:
            terminalreporter.write_line(f"results written to {self._json.value}")

    def _in_order(self) -> list[dict[str, Any]]:
        return [self._results[nodeid] for nodeid in sorted(self._results)]
