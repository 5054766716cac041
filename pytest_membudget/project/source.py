"""What the source of a migration names beside what its operations hold."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from django.db.migrations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation

_WITH_CODE = {RunPython.__name__, RunSQL.__name__}


def left_out(file: str, operations: Sequence[Operation]) -> str | None:
    """Why the code of a migration is not run here, where its source has some; None where it is.

    An operation behind an ``if`` may be left out here and run in production.
    """
    if any(isinstance(one, RunPython | RunSQL) for one in operations):
        return None
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)) in _WITH_CODE:
            return (
                f"line {node.lineno} creates a {name} that is not in its operations in this check"
            )
    return None


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None
