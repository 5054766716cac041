"""Which tables a statement goes to, and by which columns it chooses their rows."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\b(?:FROM|UPDATE|INTO|JOIN|COPY)\s+(?:ONLY\s+)?([^\s(),;]+)", re.IGNORECASE)
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b", re.IGNORECASE)
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\s+INTO\s+([^\s(]+)", re.IGNORECASE)
# A handful of rows, whatever the table holds.
_BOUNDED = re.compile(
    r"\s*SELECT\s+(?:1 AS|COUNT\(|MAX\(|MIN\(|SUM\(|AVG\(|EXISTS)|\bLIMIT\s+\d{1,2}\s*$",
    re.IGNORECASE,
)
_GROUPS = re.compile(r"\bGROUP\s+BY\b", re.IGNORECASE)
_WHERE = re.compile(r"\bWHERE\b(.*)", re.IGNORECASE | re.DOTALL)
_COLUMN = re.compile(r'(?:"([^"]+)"\.)?"([^"]+)"(\s*=)?')
# Where an equality does not narrow the rows down to those of one value.
_LOOSE = re.compile(r"\b(?:NOT|OR)\b", re.IGNORECASE)
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


def unquoted(name: str) -> str:
    return name.replace('"', "").replace("`", "")


def writes(text: str) -> bool:
    return bool(_WRITES.match(text))


def where(text: str) -> str | None:
    """What follows WHERE."""
    found = _WHERE.search(text)
    return None if found is None else found[1]


def chosen_by(condition: str, table: str) -> set[str]:
    """The columns of a condition that are the table's, or may be."""
    return {column for of, column, _ in _COLUMN.findall(condition) if of in ("", table)}


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
    bounded = _BOUNDED.search(text) and not _GROUPS.search(text)
    condition = None if bounded or writes(text) else where(text)
    if condition is None:
        return dict.fromkeys(going, ())
    loose = _LOOSE.search(condition)
    found = _COLUMN.findall(condition)
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
