"""A message as a line of JSON: its fields, with the class and the version of the protocol.

The standard library's json is used, since what migrations write holds what JSON lacks: NaN,
integers of any size, lone surrogates.  This module is weighed with the worker.
"""

from __future__ import annotations

import json
from typing import Any

from pytest_membudget.errors import ServerError

VERSION = 1
_PACKAGE = f"{__name__.partition('.')[0]}."


def encode(message: Any, fields: dict[str, Any] | None = None) -> str:
    """One line, without its end; ``fields`` are the message's as plain JSON, if known."""
    whole = {"version": VERSION, "kind": type(message).__name__, **(fields or vars(message))}
    return json.dumps(whole, default=_plain)


def decode(line: str | bytes) -> tuple[str, dict[str, Any]]:
    """The kind and the fields of a line.

    Raises ValueError for what is no whole line, and ServerError where it is of another version.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or not {"kind", "version"} <= fields.keys():
        raise ValueError("this is not a message")
    kind, version = fields.pop("kind"), fields.pop("version")
    if version != VERSION:
        raise ServerError(
            f"two processes use different versions of pytest-membudget (protocols {VERSION} and "
            f"{version}): it was upgraded during the run, or the project's Python path leads to "
            "another installation"
        )
    return kind, fields


def _plain(value: Any) -> Any:
    """What JSON has no form for: parts of a message, and values of the migration."""
    return vars(value) if type(value).__module__.startswith(_PACKAGE) else str(value)
