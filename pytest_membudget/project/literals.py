"""The literal values in the source of migrations."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pytest_membudget.project.syntax import syntax_tree


def literals(files: Iterable[str]) -> frozenset[Any]:
    """The texts and numbers in these files; a file that can't be read has none.

    A part of a larger text or of an f-string is not among them.
    """
    return frozenset(value for file in files for value in _of(file))


def _of(file: str) -> Iterator[Any]:
    tree = syntax_tree(file)
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        # -1 is an operator and a number.
        if isinstance(node, ast.Constant | ast.UnaryOp) and id(node) not in parts:
            with suppress(ValueError):
                value = ast.literal_eval(node)
                if isinstance(value, str | int | float):
                    yield value
