"""Which tables a statement goes to, and by which columns it chooses their rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_TABLE = re.compile(r"\b(?:FROM|UPDATE|INTO|JOIN|COPY)\s+(?:ONLY\s+)?([^\s(),;]+)", re.IGNORECASE)
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b", re.IGNORECASE)
_LOADS = re.compile(r"[\s(]*(?:SELECT|WITH|FETCH|TABLE|VALUES)\b", re.IGNORECASE)
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\s+INTO\s+([^\s(]+)", re.IGNORECASE)
# A handful of rows, whatever the table holds.
_BOUNDED = re.compile(
    r"\s*SELECT\s+(?:1 AS|COUNT\(|MAX\(|MIN\(|SUM\(|AVG\(|EXISTS)|\bLIMIT\s+\d{1,2}\s*$",
    re.IGNORECASE,
)
_GROUPS = re.compile(r"\bGROUP\s+BY\b", re.IGNORECASE)
_WHERE = re.compile(r"\b(?:WHERE|HAVING)\b(.*)", re.IGNORECASE | re.DOTALL)
_NOT_NULL = re.compile(r'(?:"[^"]+"\.)?"[^"]+"\s+IS\s+NOT\s+NULL', re.IGNORECASE)
_ORDER = re.compile(r"\bORDER\s+BY\b[^()]*$", re.IGNORECASE)
_NOT = re.compile(r"\bNOT\b", re.IGNORECASE)
# A parameter, and the column that it, or one of several, has to be equal to or like.
_PLACED = re.compile(
    r'(?:(?:"(?P<of>[^"]+)"\.)?"(?P<column>[^"]+)"(?:::\w+)?\s*(?:=|IN\s*\(|(?P<like>LIKE))\s*)?%s',
    re.IGNORECASE,
)
_COLUMN = re.compile(r'(?:"([^"]+)"\.)?"([^"]+)"(\s*=)?')
# Where an equality does not narrow the rows down to those of one value.
_LOOSE = re.compile(r"\b(?:NOT|OR)\b", re.IGNORECASE)
_TEXT = re.compile(r"'[^']*'")
_PARAMETERS = re.compile(r"(?:%s|\?|(?<!\w)\d+)(?:\s*,\s*(?:%s|\?|\d+))*")
_COPY = re.compile(r"\s*COPY\b", re.IGNORECASE)
_HEAD = 20_000
# What migrate reads and writes for itself.
BOOKKEEPING = ("django_migrations", "django_content_type", "auth_permission", "pg_", "sqlite_")
EVERYTHING = ("*",)


def head(sql: object) -> str:
    """The part of a statement that tells what it is about."""
    return str(sql)[:_HEAD]


def tables(text: str) -> list[str]:
    """Every table that it names, in order."""
    return [unquoted(match[1]) for match in _TABLE.finditer(text)]


def loads(text: str) -> bool:
    """Whether it may bring any number of rows into the process, as far as its form tells."""
    bounded = _BOUNDED.search(text) and not _GROUPS.search(text)
    return bool(_LOADS.match(text)) and not bounded


def shape(text: str) -> str:
    """The same for statements that differ in their parameters, in a page's place or in a text."""
    return _PARAMETERS.sub("%s", _TEXT.sub("%s", text))


def after_columns(text: str) -> str:
    """What follows the columns that a statement is about, from FROM on."""
    found = _TABLE.search(text)
    return text if found is None else text[found.start() :]


def unquoted(name: str) -> str:
    return name.replace('"', "").replace("`", "")


def writes(text: str) -> bool:
    return bool(_WRITES.match(text))


def filters(text: str, table: str, parameters: Sequence[Any]) -> dict[str, list[Any]] | None:
    """The columns that it filters by and that are the table's, or may be; None without a filter.

    Each has the value that it has to have for a row to be found, where there is one, or one of
    several, and none else.
    """
    found = _WHERE.search(text)
    if found is None:
        return None
    condition = _ORDER.sub("", _NOT_NULL.sub("", found[1]))
    columns: dict[str, list[Any]] = {
        column: [] for of, column, _ in _COLUMN.findall(condition) if of in ("", table)
    }
    if _NOT.search(condition):
        return columns
    place = text[: found.start(1)].replace("%%", "  ").count("%s")
    for match in _PLACED.finditer(condition.replace("%%", "  ")):
        if match["column"] is not None and match["of"] in (None, table) and place < len(parameters):
            value = parameters[place]
            columns[match["column"]] = [_matching(value) if match["like"] else value]
        place += 1
    return columns


def _matching(pattern: Any) -> Any:
    """A text that meets a pattern of LIKE."""
    return re.sub(r"\\(.)", r"\1", pattern.strip("%")) if isinstance(pattern, str) else pattern


def destinations(text: str) -> dict[str, tuple[str, ...]]:
    """The tables that it reads or changes rows of, with the columns that choose any number of rows.

    A column whose value has to equal one ends with ``=``.  A table that rows are only inserted into
    is left out; nothing is said to choose where a handful is taken, or all.
    """
    insert = _INSERT.match(text)
    going = {table for table in tables(text) if not table.startswith(BOOKKEEPING)}
    going -= {unquoted(insert[1])} if insert else set()
    if _COPY.match(text):
        return dict.fromkeys(going, EVERYTHING)
    condition = _WHERE.search(text) if loads(text) else None
    if condition is None:
        return dict.fromkeys(going, ())
    loose = _LOOSE.search(condition[1])
    found = _COLUMN.findall(condition[1])
    return {
        table: tuple(
            sorted(
                {
                    column + ("=" if equals and not loose else "")
                    for of, column, equals in found
                    if of in ("", table)
                }
            )
        )
        for table in going
    }
