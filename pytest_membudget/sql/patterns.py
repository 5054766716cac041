"""A text that a regular expression matches, of the plain ones that conditions have."""

from __future__ import annotations

import re
from typing import Any

try:
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as parser

_CLASSES = {
    "DIGIT": "1",
    "NOT_DIGIT": "a",
    "WORD": "a",
    "NOT_WORD": "-",
    "SPACE": " ",
    "NOT_SPACE": "a",
}
_ORDINARY = "a1-A _.x"


def matching(pattern: str) -> list[str]:
    """A text in a list, which is empty where none was found."""
    try:
        text = "".join(map(_text, parser.parse(pattern)))
        return [text] if re.search(pattern, text) else []
    except (re.error, LookupError, OverflowError, RecursionError):
        return []


def _text(item: tuple[Any, Any]) -> str:
    """A text for one item of a pattern; LookupError for one that no text is known for."""
    kind, value = str(item[0]), item[1]
    if kind == "LITERAL":
        return chr(value)
    if kind == "ANY":
        return "x"
    if kind == "AT":
        return ""
    if kind == "IN":
        return _of_set(value)
    if kind == "BRANCH":
        return "".join(map(_text, value[1][0]))
    if kind == "SUBPATTERN":
        return "".join(map(_text, value[-1]))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, items = value
        # What may be left out is no matter; what is repeated is there more than once.
        times = least if least != 1 else min(3, int(most))
        return "".join(map(_text, items)) * times
    if kind == "NOT_LITERAL":
        return next(one for one in _ORDINARY if ord(one) != value)
    raise LookupError(kind)


def _of_set(items: list[tuple[Any, Any]]) -> str:
    """A character of a set, or one that a set leaves out."""
    (first, value), negated = items[0], str(items[0][0]) == "NEGATE"
    if negated:
        refused = [(str(kind), value) for kind, value in items[1:]]
        return next(one for one in _ORDINARY if not any(_holds(*other, one) for other in refused))
    if str(first) == "CATEGORY":
        return _CLASSES[str(value).removeprefix("CATEGORY_")]
    return chr(value[0] if str(first) == "RANGE" else value)


def _holds(kind: str, value: Any, character: str) -> bool:
    if kind == "CATEGORY":
        name = str(value).removeprefix("CATEGORY_")
        shown = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}.get(name)
        return shown is None or re.match(shown, character) is not None
    low, high = value if kind == "RANGE" else (value, value)
    return bool(low <= ord(character) <= high)
