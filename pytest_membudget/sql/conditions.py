"""The columns that a condition is about, and the values that it asks of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

# Places of values are written into the tree as literals: these numbers, and texts of a "p".
NUMBERED = 7_000_000
_COMPARISONS = {exp.EQ: "=", exp.GTE: ">=", exp.GT: ">", exp.LTE: "<=", exp.LT: "<"}
_TURNED = str.maketrans("<>", "><")


def predicates(condition: exp.Expr) -> Iterator[tuple[exp.Column, dict[str, Any]]]:
    """Each column of a condition, first those with a value that finds rows."""
    own = [
        column
        for column in condition.find_all(exp.Column)
        if column.find_ancestor(exp.Where, exp.Having) is condition and not _is_not_null(column)
    ]
    said = [(column, known) for column in own if (known := _said(column)) is not None]
    spent = {id(column.find_ancestor(exp.Not)) for column, known in said if "known" in known}
    negated = {
        id(column)
        for one in condition.find_all(exp.Not)
        if id(one) not in spent and not _excludes_null(one)
        for column in one.find_all(exp.Column)
    }
    yield from ((column, known) for column, known in said if id(column) not in negated)
    yield from ((column, {}) for column in own)


def _said(column: exp.Column) -> dict[str, Any] | None:
    """The value that a predicate asks of a column; None where no single one does."""
    node: exp.Expr = column
    while isinstance(node.parent, exp.Cast | exp.Paren):
        node = node.parent
    predicate = node.parent
    if isinstance(predicate, exp.Length):
        return _compared(predicate, length=True)
    if isinstance(predicate, exp.Not) and _is_boolean(predicate.parent):
        return {"known": (False,), "exact": _is_exact(predicate)}
    if _is_boolean(predicate):
        return {"known": (True,), "exact": _is_exact(node)}
    if isinstance(predicate, exp.Is) and isinstance(predicate.expression, exp.Null | exp.Boolean):
        value = predicate.expression
        return {"known": (None if isinstance(value, exp.Null) else bool(value.this),)}
    if isinstance(predicate, exp.In):
        given = predicate.expressions or [predicate.args.get("field")]
        return _value(given[0], exact=_is_exact(predicate)) if node is predicate.this else None
    if isinstance(predicate, exp.Like | exp.ILike):
        return _value(predicate.expression if predicate.this is node else predicate.this, like=True)
    return _compared(node)


def _compared(node: exp.Expr, **more: Any) -> dict[str, Any] | None:
    """The value that a comparison asks of a column, or of its length."""
    predicate = node.parent
    if isinstance(predicate, exp.Between) and predicate.this is node:
        return _value(predicate.args["low"], **more)
    sign = next((sign for kind, sign in _COMPARISONS.items() if isinstance(predicate, kind)), None)
    if sign is None or predicate is None:
        return None
    if predicate.this is node:
        other = predicate.expression
    else:
        other, sign = predicate.this, sign.translate(_TURNED)
    if sign == "=":
        return _value(other, exact=_is_exact(predicate) and not more, **more)
    return _value(other, sign=sign, **more)


def _value(node: exp.Expr | None, **more: Any) -> dict[str, Any] | None:
    negative = False
    while isinstance(node, exp.Paren | exp.Cast | exp.Neg | exp.Any):
        negative ^= isinstance(node, exp.Neg)
        node = node.this
    if isinstance(node, exp.Boolean | exp.Null):
        return {"known": (None if isinstance(node, exp.Null) else bool(node.this),), **more}
    at = None if node is None else place(node)
    return None if at is None else {"place": at, "negative": negative, **more}


def place(node: exp.Expr) -> int | None:
    """The position of a mark, which a literal stands for."""
    if not isinstance(node, exp.Literal):
        return None
    text = node.name
    if node.is_string:
        return int(text[1:]) if re.fullmatch(r"p\d+", text) else None
    return int(text) - NUMBERED if text.isdigit() and int(text) >= NUMBERED else None


def _is_boolean(node: exp.Expr | None) -> bool:
    """Whether what stands below this is a condition by itself."""
    return isinstance(node, exp.And | exp.Or | exp.Where | exp.Having | exp.Not)


def _is_exact(node: exp.Expr) -> bool:
    """Whether every row that is found meets this predicate."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Where | exp.Having)


def _is_not_null(column: exp.Column) -> bool:
    """Whether it only has to have a value: ``IS NOT NULL`` is one predicate in some dialects."""
    predicate = column.parent
    if not isinstance(predicate, exp.Is):
        return False
    negated = bool(predicate.args.get("negate"))
    return _excludes_null(predicate.parent) or (negated and _is_null(predicate))


def _excludes_null(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Not) and _is_null(node.this)


def _is_null(node: exp.Expr) -> bool:
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)
