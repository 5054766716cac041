"""Workflow commands that make GitHub show a failing budget at the line that is to blame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.texts import visible


def workflow_commands(results: Sequence[Result]) -> list[str]:
    """One line for each failing budget, and for each inconclusive one that is let pass.

    None outside of GitHub Actions.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    return [_command(level, result) for result in results if (level := _level(result)) is not None]


def _level(result: Result) -> str | None:
    if cells.failing(result):
        return "error"
    let_pass = result.verdict == Verdict.INCONCLUSIVE and result.outcome == "passed"
    return "warning" if let_pass else None


def _command(level: str, result: Result) -> str:
    file, line = _where(result)
    properties = {
        **({} if file is None else {"file": _in_repository(file), "line": str(line)}),
        "title": f"{cells.migration(result)}: {result.verdict}",
    }
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = [result.reason, *(one.message for one in result.advice)]
    message = "\n".join(text)
    return f"::{level} {shown}::{_data(message)}"


def _where(result: Result) -> tuple[str | None, int]:
    """The largest line of the migration's own files, else the beginning of the first of them."""
    for line in result.attribution:
        if line.file in result.files and line.line is not None:
            return line.file, line.line
    return next(iter(result.files), None), 1


def _in_repository(file: str) -> str:
    """The path that GitHub knows the file by; results name it as seen from where they ran."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    try:
        path = Path(file).resolve()
    except ValueError:  # a null character
        return file
    if workspace and path.is_relative_to(Path(workspace).resolve()):
        return path.relative_to(Path(workspace).resolve()).as_posix()
    return file


# As GitHub's own toolkit does it: actions/toolkit, packages/core/src/command.ts.
def _data(text: str) -> str:
    text = visible(text, keep="\r\n\t")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
