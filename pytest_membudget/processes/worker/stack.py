"""The frames of an exception, with the expressions that were being evaluated in them."""

from __future__ import annotations

import ast
import json
import sys
from collections import ChainMap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from pytest_membudget.project.ownership import Ownership, short_path
from pytest_membudget.project.syntax import called, syntax_tree

_EXECUTOR = "django/db/migrations/executor.py"
_OPERATIONS = "django/db/migrations/"


@dataclass(frozen=True)
class Place:
    """One frame; ``own`` says that it is the code of the migration, or the project's."""

    frame: FrameType
    line: int
    at: int
    own: bool

    def __str__(self) -> str:
        return f"{short_path(self.frame.f_code.co_filename)}:{self.line}"

    def nodes(self) -> list[ast.expr]:
        """The expressions that were being evaluated, or those of the line; outer ones first."""
        code = self.frame.f_code
        found: tuple[int | None, ...] = (self.line, self.line, None, None)
        if sys.version_info >= (3, 11):
            [found] = islice(code.co_positions(), self.at // 2, self.at // 2 + 1)
        first, last, begin, end = found

        def is_within(node: ast.expr) -> bool:
            if first is None or last is None or begin is None or end is None:
                return node.lineno <= self.line <= (node.end_lineno or 0)
            start = (node.lineno, node.col_offset)
            return (first, begin) <= start and (node.end_lineno, node.end_col_offset) <= (last, end)

        return [n for n in ast.walk(self.tree()) if isinstance(n, ast.expr) and is_within(n)]

    def tree(self) -> ast.Module:
        return syntax_tree(self.frame.f_code.co_filename)

    def function(self) -> ast.AST:
        """The function that was being executed, with those around it left out."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        around = [
            node
            for node in ast.walk(self.tree())
            if isinstance(node, kinds) and node.lineno <= self.line <= (node.end_lineno or 0)
        ]
        return around[-1] if around else self.tree()

    def names(self, key: Any) -> bool:
        """Whether a key stands in the code, by itself or in a constant tuple."""
        return any(
            key in one if isinstance(one, tuple) else type(one) is type(key) and one == key
            for one in self.frame.f_code.co_consts
        )

    def value(self, node: ast.expr) -> Any:
        """What an expression stands for, of those that run no code of the project's.

        Raises LookupError, or ValueError for what is no JSON.
        """
        if isinstance(node, ast.Constant | ast.Dict):
            return ast.literal_eval(node)
        if isinstance(node, ast.Call) and called(node) == "loads":
            [text] = map(self.value, node.args)
            return json.loads(text)
        if isinstance(node, ast.Name):
            return ChainMap(self.frame.f_locals, self.frame.f_globals)[node.id]
        if isinstance(node, ast.Attribute):
            return getattr(self.value(node.value), "__dict__", {})[node.attr]
        if isinstance(node, ast.Subscript):
            holder = self.value(node.value)
            if type(holder) in (dict, list, tuple):
                return holder[self.value(node.slice)]
        raise LookupError

    def values(self) -> Iterator[Any]:
        """What the expressions stand for, constants left out."""
        for node in self.nodes():
            if not isinstance(node, ast.Constant):
                with suppress(Exception):
                    yield self.value(node)


def places_of(error: BaseException) -> list[Place]:
    """The frames of an exception below those of Django's executor, the innermost one last."""
    found: list[tuple[FrameType, int, int]] = []
    trace, below = error.__traceback__, False
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_filename.endswith(_EXECUTOR):
            below = True
            found.clear()
        else:
            found.append((frame, trace.tb_lineno, trace.tb_lasti))
        trace = trace.tb_next
    files = (frame.f_code.co_filename for frame, *_ in found)
    first = next((file for file in files if below and _OPERATIONS not in file), "")
    owned = Ownership([str(Path(first).parents[1])] if first else [])
    return [Place(*one, own=owned.is_own(one[0].f_code.co_filename)) for one in found]


def innermost(places: list[Place]) -> Place:
    """The innermost frame of the migration's own code."""
    return next((one for one in reversed(places) if one.own), places[-1])


def chain(node: ast.expr) -> tuple[ast.expr, list[ast.expr]]:
    """An expression without its keys, and these: of ``a.b["c"].pop("d")``, a.b with both."""
    keys: list[ast.expr] = []
    while True:
        if isinstance(node, ast.Subscript):
            keys.insert(0, node.slice)
            node = node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "pop"
            and len(node.args) == 1
        ):
            keys.insert(0, node.args[0])
            node = node.func.value
        else:
            return node, keys
