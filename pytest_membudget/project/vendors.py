"""Source that is for some databases only: what is below ``if connection.vendor == "mysql":``."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def calls(tree: ast.AST, vendor: str | None = None) -> Iterator[ast.Call]:
    """All calls; with a ``vendor`` those that may be reached on its databases."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield node
        named = _vendors(node.test) if isinstance(node, ast.If | ast.IfExp) else []
        if vendor is None or not named:
            yield from calls(node, vendor)
            continue
        assert isinstance(node, ast.If | ast.IfExp)
        reached = node.body if vendor in named else node.orelse
        # In a node of its own, since a call is yielded as the child of one.
        branch = ast.Module(reached, []) if isinstance(reached, list) else ast.Expr(reached)
        yield from calls(branch, vendor)


def _vendors(test: ast.expr) -> list[str]:
    """The vendors for which a condition holds; empty where it does not ask for them."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return next(filter(None, map(_vendors, test.values)), [])
    if not isinstance(test, ast.Compare) or getattr(test.left, "attr", "") != "vendor":
        return []
    if not isinstance(test.ops[0], ast.Eq | ast.In):
        return []
    names = ast.walk(test.comparators[0])
    return [one.value for one in names if isinstance(one, ast.Constant) and str is type(one.value)]
