"""The columns that a condition is about, and the values that it asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from pytest_membudget.sql.documents import Part
from pytest_membudget.sql.positions import LEAVING, PATHS, WITH_KEYS, is_negated, located, place

_COMPARISONS = {exp.EQ: "=", exp.GTE: ">=", exp.GT: ">", exp.LTE: "<=", exp.LT: "<"}
_TURNED = str.maketrans("<>", "><")
# What a value is in, and what a text is turned into that is compared with one.
_AROUND = (exp.Paren, exp.Cast, exp.Neg, exp.Any, exp.Upper, exp.Lower, *PATHS)
# A text that differs from what these make of it.
_DIFFERING = (exp.Upper, exp.Lower, exp.Trim)
_MIXED, _CAPITALS = " Mixed.Case@Example.com ", "CAPITALS"


def predicates(condition: exp.Expr) -> Iterator[tuple[exp.Column, dict[str, Any]]]:
    """Each column of a condition, first those with a value that finds rows."""
    own = [
        column
        for column in condition.find_all(exp.Column)
        if column.find_ancestor(exp.Where, exp.Having) is condition and not _is_not_null(column)
    ]
    settled = {id(column): known for column in own if (known := _settled(column)) is not None}
    said = [
        (column, known)
        for column in own
        if id(column) not in settled and (known := _said(column)) is not None
    ]
    spent = {id(column.find_ancestor(exp.Not)) for column, known in said if "known" in known}
    negated = {
        id(column)
        for one in condition.find_all(exp.Not)
        if id(one) not in spent and not _excludes_null(one)
        for column in one.find_all(exp.Column)
    }
    yield from ((column, settled[id(column)]) for column in own if settled.get(id(column)))
    yield from ((column, known) for column, known in said if id(column) not in negated)
    yield from ((column, {}) for column in own)


def _settled(column: exp.Column) -> dict[str, Any] | None:
    """What a predicate asks of a document, or of a column beside a function of itself, with each
    NOT before it; empty where that is no value, and None for all other predicates.
    """
    node, keys = located(column)
    predicate, negated = node.parent, is_negated(node)
    if keys is None:
        return _beside_itself(column, node, negated=negated)
    if node.find_ancestor(exp.Case):
        return {}
    part = {"part": Part(keys)}
    if isinstance(predicate, exp.Is) and _is_null(predicate):
        return part if negated ^ bool(predicate.args.get("negate")) else {}
    if isinstance(predicate, WITH_KEYS):
        at = None if negated else _value(predicate.expression, part=Part(keys, listed=True))
    elif isinstance(predicate, exp.ArrayContainsAll):
        at = None if negated else _value(predicate.expression, **part)
    elif negated or isinstance(predicate, exp.NEQ):
        at = part
    else:
        at = _said(column)
        return {} if at is None else {**at, **part, "exact": False, "equal": False}
    return at or {}


def _beside_itself(column: exp.Column, node: exp.Expr, *, negated: bool) -> dict[str, Any] | None:
    predicate = node.parent
    if not isinstance(predicate, exp.EQ | exp.NEQ) or node.find(*LEAVING):
        return None
    other = predicate.args.get("expression" if predicate.this is node else "this")
    other = None if other is None else other.unnest()
    if not isinstance(other, _DIFFERING) or other.this.unnest() != column:
        return None
    if negated ^ isinstance(predicate, exp.NEQ):
        return {"known": (_MIXED,)}
    return {"known": (_CAPITALS,)} if isinstance(other, exp.Upper) else {}


def _said(column: exp.Column) -> dict[str, Any] | None:
    """The value that a predicate asks of a column; None where no single one does."""
    found = _asked(column)
    return found and {**found, **_equality(column)}


def _equality(column: exp.Column) -> dict[str, Any]:
    """Whether a predicate asks that the column itself has the value, and asks it of every row."""
    node: exp.Expr = column
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    predicate, nots = node.parent, 0
    if isinstance(predicate, exp.Not) and _is_boolean(predicate.parent):
        node, nots = predicate, 1
    if isinstance(predicate, exp.EQ):
        other = predicate.expression if predicate.this is node else predicate.this
        equal = not other.find(exp.Null, *LEAVING)
        node = predicate
    elif isinstance(predicate, exp.Is):
        equal = not predicate.args.get("negate")
        node = predicate
    else:
        equal = _is_boolean(node.parent)
    above = column.find_ancestor(exp.Not)
    while above is not None:
        nots -= 1
        above = above.find_ancestor(exp.Not)
    equal = equal and nots == 0
    return {"equal": equal, "every": equal and _is_exact(node)}


def _asked(column: exp.Column) -> dict[str, Any] | None:
    if isinstance(column.parent, exp.Length):
        return comparison(column.parent, length=True)
    node, _ = located(column)
    plain = not node.find(*LEAVING, exp.Anonymous, exp.AtTimeZone)
    predicate = node.parent
    if isinstance(predicate, exp.Not) and _is_boolean(predicate.parent):
        return {"known": (False,), "exact": plain and _is_exact(predicate)}
    if _is_boolean(predicate):
        return {"known": (True,), "exact": plain and _is_exact(node)}
    if isinstance(predicate, exp.Is) and isinstance(predicate.expression, exp.Null | exp.Boolean):
        value = predicate.expression
        return {"known": (None if isinstance(value, exp.Null) else bool(value.this),)}
    if isinstance(predicate, exp.In):
        given = predicate.expressions or [predicate.args.get("field")]
        exact = plain and _is_exact(predicate)
        return _value(given[0], exact=exact) if node is predicate.this else None
    if isinstance(predicate, exp.Like | exp.ILike):
        return _value(predicate.expression if predicate.this is node else predicate.this, like=True)
    if isinstance(predicate, exp.RegexpLike | exp.RegexpILike) and predicate.this is node:
        pattern = list(predicate.expression.find_all(exp.Literal))[-1:]
        return _value(pattern[0], regex=True) if pattern else None
    found = comparison(node)
    return found and {**found, "exact": plain and found.get("exact", False)}


def comparison(node: exp.Expr, **more: Any) -> dict[str, Any] | None:
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
    while isinstance(node, _AROUND):
        negative ^= isinstance(node, exp.Neg)
        node = node.this
    if isinstance(node, exp.Boolean | exp.Null):
        return {"known": (None if isinstance(node, exp.Null) else bool(node.this),), **more}
    at = None if node is None else place(node)
    return None if at is None else {"place": at, "negative": negative, **more}


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
