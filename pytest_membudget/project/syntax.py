"""The source of the project, read and not run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any


def syntax_tree(file: str) -> ast.Module:
    """That of a file; an empty one where it can't be read."""
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def without_classes(file: str) -> str:
    """A module without its classes as a text; one with a decorator may have been registered."""
    tree = syntax_tree(file)
    tree.body = [
        one for one in tree.body if not isinstance(one, ast.ClassDef) or one.decorator_list
    ]
    return ast.dump(tree)


def called(node: ast.Call) -> str:
    """The last name of what is called, ``"b"`` of ``a.b()``; empty where it has none."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Names with the expressions that are assigned to them; None for a name that is counted up."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            for name in _targets(target):
                yield name, None if _is_a_step(name, node.value) else node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        if node.value is not None:
            yield from ((name, node.value) for name in _targets(node.target))
    elif isinstance(node, ast.AugAssign):
        counts = isinstance(node.value, ast.Constant)
        yield from ((name, None if counts else node.value) for name in _targets(node.target))
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield from _of_loop(node.target, node.iter)


def _is_a_step(name: str, value: ast.expr) -> bool:
    """Whether it is of the kind ``n = n + 1``."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.right, ast.Constant):
        return False
    return isinstance(value.left, ast.Name) and value.left.id == name


def _of_loop(target: ast.expr, over: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """A loop gives rows and their values, which are no counts; enumerate() and range() count."""
    called = getattr(over.func, "id", "") if isinstance(over, ast.Call) else ""
    counting = {"enumerate": list(_targets(target))[:1], "range": list(_targets(target))}
    for name in _targets(target):
        yield name, None if name in counting.get(called, []) else ast.Constant(value=None)


def _targets(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for one in node.elts:
            yield from _targets(one)


def literals(files: Iterable[str]) -> frozenset[Any]:
    """The texts and numbers in these files, without parts of larger texts and of f-strings."""
    found = set()
    for file in files:
        parts: set[int] = set()
        for node in ast.walk(syntax_tree(file)):
            if isinstance(node, ast.JoinedStr):
                parts.update(map(id, node.values))
            # -1 is an operator and a number.
            elif isinstance(node, ast.Constant | ast.UnaryOp) and id(node) not in parts:
                with suppress(ValueError):
                    value = ast.literal_eval(node)
                    if isinstance(value, str | int | float):
                        found.add(value)
    return frozenset(found)
