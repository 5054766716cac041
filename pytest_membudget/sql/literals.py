"""Statements without the values that stand in their text."""

from __future__ import annotations

import re

# What stands in a statement: a value, one of SQLite's in double quotes, or what is no value.
_TOKEN = re.compile(
    r"""
      \be'(?:[^'\\]|''|\\.)*(?:'|$) | (?:\b[bxn]|\bu&)?'(?:[^']|'')*(?:'|$)
    | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)
    | (?P<operator>[=<>]\s*|\b(?:LIKE|GLOB)\s+)"(?:[^"]|"")*"(?!\s*\.)
    | (?P<of_list>\bIN\s*\()(?!\s*(?:SELECT|WITH|VALUES)\b)[^()]*
    | (?P<kept>"(?:[^"]|"")*" | `[^`]*` | %\(\w+\)s | \$\d+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|$))
    | (?<![\w.])\d[\w.]*
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def without_literals(text: str) -> str:
    """A statement, or what was cut off of one, with a placeholder for each value in it."""
    return _TOKEN.sub(_shown, text)


def _shown(token: re.Match[str]) -> str:
    if token["kept"] or token["comment"]:
        return token["kept"] or " "
    return f"{token['operator'] or token['of_list'] or ''}%s"
