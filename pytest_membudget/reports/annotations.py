"""Workflow commands that make GitHub show a failing budget at the line that is to blame."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.places import message_of, place_of
from pytest_membudget.texts import visible


def workflow_commands(results: Sequence[Result]) -> list[str]:
    """One line for each budget that fails, is accepted or let pass, on GitHub Actions only."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    commands = []
    for result in results:
        if cells.failing(result):
            commands.append(_command("error", result))
        elif result.accepted is not None:
            commands.append(_command("notice", result))
        elif result.inconclusive and result.outcome == "passed":
            commands.append(_command("warning", result))
    return commands


def _command(level: str, result: Result) -> str:
    properties = [f"title={_property(f'{cells.migration(result)}: {cells.verdict(result)}')}"]
    if (place := place_of(result)) is not None:
        properties.insert(0, f"file={_property(place[0])},line={place[1]}")
    return f"::{level} {','.join(properties)}::{_data(message_of(result))}"


# As GitHub's own toolkit does it: actions/toolkit, packages/core/src/command.ts.
def _data(text: str) -> str:
    text = visible(text, keep="\r\n\t")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
