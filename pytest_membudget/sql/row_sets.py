"""What conditions ask of several rows of a table, as values that stand for it in its columns."""

from __future__ import annotations

import re
from typing import Any

WHOLE_ROW = "*"
"""The name of no column: what is asked of rows is asked of all of theirs."""
UNREFERRED = "none of another table's rows"
UNORDERED = "in any order with another column's value"
_REPEATED = re.compile(r"the same in (\d+) rows")
_MOST = 20


def is_of_rows(value: Any) -> bool:
    """Whether a value says something of rows, and is none that a column can hold."""
    return value in (UNREFERRED, UNORDERED) or times_of(value) > 0


def repeated(times: int) -> str:
    return f"the same in {min(times, _MOST)} rows"


def times_of(value: Any) -> int:
    """How many rows a value says that have the same, 0 where it says nothing of rows."""
    found = _REPEATED.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else 0


def of_count(sign: str, number: Any) -> list[str]:
    """What is asked of the rows that are counted, where their count compares so with a number."""
    if not isinstance(number, int):
        return []
    most = {"=": number, "<=": number, "<": number - 1}.get(sign)
    if most == 0:
        return [UNREFERRED]
    least = {"=": number, ">=": number, ">": number + 1}.get(sign, 0)
    return [repeated(least)] if least > 1 else []
