"""The values that stand literally in the source of migrations."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def literals(files: Iterable[str]) -> frozenset[Any]:
    """Texts and numbers of these files; none of one that can't be read.

    A text within a larger one is not among them, nor a part of an f-string: they may have been
    put together from anything.
    """
    return frozenset(value for file in files for value in _of(Path(file)))


def _of(file: Path) -> Iterable[Any]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in parts:
            if isinstance(node.value, str | int | float):
                yield node.value
        elif (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub)
            and isinstance(node.operand, ast.Constant)
            and isinstance(node.operand.value, int | float)
        ):
            yield -node.operand.value
