"""Workflow commands that make GitHub show a failing budget at the line that is to blame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
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
    # The largest line of the migration's own files, else the beginning of the first of them.
    places = [(one.file, one.line) for one in result.attribution if one.file in result.files]
    places = [place for place in places if place[1]] + [(file, 1) for file in result.files]
    properties = [f"title={_property(f'{cells.migration(result)}: {cells.verdict(result)}')}"]
    for file, line in places[:1]:
        properties.insert(0, f"file={_property(_in_repository(file))},line={line}")
    accepted = [str(result.accepted)] if result.accepted else []
    message = "\n".join([result.reason, *accepted, *(one.message for one in result.advice)])
    return f"::{level} {','.join(properties)}::{_data(message)}"


def _in_repository(file: str) -> str:
    """The path that GitHub knows the file by; results name it as seen from where they ran."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace:
        return file
    try:
        return Path(file).resolve().relative_to(Path(workspace).resolve()).as_posix()
    except ValueError:  # outside of it, or a null character
        return file


# As GitHub's own toolkit does it: actions/toolkit, packages/core/src/command.ts.
def _data(text: str) -> str:
    text = visible(text, keep="\r\n\t")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
