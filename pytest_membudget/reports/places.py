"""Where a result stands in the repository, for tools that show it at a line."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.document import identity

# The root of the checkout, as the runners of GitHub and GitLab say it.
_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def place_of(result: Result) -> tuple[str, int] | None:
    """The file and the line that is to blame, None where no file is known.

    It is the largest line of the migration's own files, else the beginning of the first of them.
    """
    places = [(one.file, one.line) for one in result.attribution if one.file in result.files]
    known = [(file, line) for file, line in places if line] + [(file, 1) for file in result.files]
    return (_in_repository(known[0][0]), known[0][1]) if known else None


def message_of(result: Result) -> str:
    """Why it failed, who accepted it, and what to do."""
    accepted = [f"This failure is {result.accepted}"] if result.accepted else []
    return "\n".join([result.reason, *accepted, *(one.message for one in result.advice)])


def fingerprint(result: Result) -> str:
    """The same for the same budget, whatever its figures and its verdict are."""
    test, vendor = identity(result)
    parts = test, vendor or "", cells.migration(result)
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _in_repository(file: str) -> str:
    """The path in the repository; results name it as seen from where they ran."""
    root = next((os.environ[name] for name in _ROOTS if os.environ.get(name)), None)
    if root is None:
        return file
    try:
        return Path(file).resolve().relative_to(Path(root).resolve()).as_posix()
    except ValueError:  # outside of it, or a null character
        return file
