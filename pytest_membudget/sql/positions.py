"""What in a statement's tree a predicate is about, and the positions of its values."""

from __future__ import annotations

import re

from sqlglot import exp

# Places of values are written into the tree as literals: these numbers, and texts of a "p".
NUMBERED = 7_000_000
# What leaves some values as they are, so that a value that is asked of the result will do.
LEAVING = (exp.Upper, exp.Lower, exp.Trim, exp.Left, exp.Substring, exp.Coalesce, exp.Mod)
PATHS = (
    exp.JSONExtract,
    exp.JSONExtractScalar,
    exp.JSONBExtract,
    exp.JSONBExtractScalar,
    exp.JSONType,
)
WITH_KEYS = (
    exp.JSONBContainsTopKey,
    exp.JSONBContainsAllTopKeys,
    exp.JSONBContainsAnyTopKeys,
)


def located(column: exp.Column) -> tuple[exp.Expr, tuple[int, ...] | None]:
    """What a predicate is about: the column, or what is made of it, and the positions of the keys
    by which it is a part of a document.
    """
    node: exp.Expr = column
    keys: tuple[int, ...] | None = None
    while (parent := node.parent) is not None:
        first = parent.args.get("this") is node
        if isinstance(parent, PATHS) and first:
            at = _place_of_key(parent.expression)
            keys = (*(keys or ()), *([] if at is None else [at]))
        elif isinstance(parent, WITH_KEYS) or (isinstance(parent, exp.ArrayContainsAll) and first):
            return node, keys or ()
        elif not (
            isinstance(parent, exp.Cast | exp.Paren)
            or is_day_of(parent, node)
            or (isinstance(parent, LEAVING) and first)
            # SQLite reads what is true, false or null in another way.
            or (keys and isinstance(parent, exp.Case) and parent.args.get("default") is node)
        ):
            break
        node = parent
    return node, keys


def is_day_of(node: exp.Expr, column: exp.Expr) -> bool:
    """Whether this is the day of a time, in PostgreSQL's words or Django's for SQLite."""
    if isinstance(node, exp.Anonymous):
        of_day = node.name.lower() == "django_datetime_cast_date"
        return of_day and node.expressions[:1] == [column]
    return isinstance(node, exp.AtTimeZone) and node.this is column


def _place_of_key(key: exp.Expr) -> int | None:
    if isinstance(key, exp.JSONPath):
        text = str(key.expressions[-1].this)
        found = re.fullmatch(r"p?(\d+)", text)
        return int(found[1]) % NUMBERED if found else None
    return place(key)


def place(node: exp.Expr) -> int | None:
    """The position of a mark, which a literal stands for."""
    if not isinstance(node, exp.Literal):
        return None
    text = node.name
    if node.is_string:
        return int(text[1:]) if re.fullmatch(r"p\d+", text) else None
    return int(text) - NUMBERED if text.isdigit() and int(text) >= NUMBERED else None


def is_negated(node: exp.Expr) -> bool:
    """Whether an odd number of NOTs is before a predicate."""
    negated = False
    while node.parent is not None and not isinstance(node, exp.Where | exp.Having):
        node = node.parent
        negated ^= isinstance(node, exp.Not)
    return negated
