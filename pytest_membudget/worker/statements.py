"""Which tables a statement goes to, and by which columns it chooses their rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TABLE = re.compile(r"\b(?:FROM|UPDATE|INTO|JOIN|COPY)\s+(?:ONLY\s+)?([^\s(),;]+)", re.IGNORECASE)
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b", re.IGNORECASE)
_LOADS = re.compile(r"[\s(]*(?:SELECT|WITH|FETCH|TABLE|VALUES)\b", re.IGNORECASE)
_INSERT = re.compile(r"\s*(?:INSERT|REPLACE)\s+INTO\s+([^\s(]+)", re.IGNORECASE)
# A handful of rows, whatever the table holds.
_SINGLE = re.compile(r"\s*SELECT\s+(?:1 AS|COUNT\(|MAX\(|MIN\(|SUM\(|AVG\(|EXISTS)", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\s+\d{1,2}\s*$", re.IGNORECASE)
_GROUPS = re.compile(r"\bGROUP\s+BY\b", re.IGNORECASE)
_WHERE = re.compile(r"\b(?:WHERE|HAVING)\b(.*)", re.IGNORECASE | re.DOTALL)
_NOT_NULL = re.compile(r'(?:"[^"]+"\.)?"[^"]+"\s+IS\s+NOT\s+NULL', re.IGNORECASE)
_ORDER = re.compile(r"\bORDER\s+BY\b[^()]*$", re.IGNORECASE)
_NOT = re.compile(r"\bNOT\b", re.IGNORECASE)
# A column, of a table by its name or by an alias, which Django does not quote.
_NAME = r'(?:(?:"(?P<of>[^"]+)"|\b(?P<alias>\w+))\.)?"(?P<column>[^"]+)"'
_COLUMN = re.compile(rf"{_NAME}(?P<equals>\s*=|\s+IN\s*\(\s*(?:%s|\?|\d))?", re.IGNORECASE)
_NULL = re.compile(rf"{_NAME}\s+IS\s+NULL", re.IGNORECASE)
# A boolean stands alone.
_FLAG = re.compile(
    rf"(?P<lead>^|(?<!\w)(?<![=<>,]\s)\(|\bAND\b)\s*(?P<no>NOT\s+)?{_NAME}\s*(?=\)|\bAND\b|$)",
    re.IGNORECASE,
)
# A parameter, and the column that it, or one of several, has to be equal to or like.
_PLACED = re.compile(rf"(?:{_NAME}(?:::\w+)?\s*(?:=|IN\s*\(|(?P<like>LIKE))\s*)?%s", re.IGNORECASE)
# Where an equality does not narrow the rows down to those of one value.
_LOOSE = re.compile(r"\b(?:NOT|OR)\b", re.IGNORECASE)
_TEXT = re.compile(r"'[^']*'")
PARAMETERS = re.compile(r"(?:%s|\?|\d+)(?:\s*,\s*(?:%s|\?|\d+))*")
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
    bounded = _LIMITED.search(text) or (_SINGLE.match(text) and not _GROUPS.search(text))
    return bool(_LOADS.match(text)) and not bounded


def shape(text: str) -> str:
    """The same for statements that differ in their parameters, in a page's place or in a text."""
    return PARAMETERS.sub("%s", _TEXT.sub("%s", text))


def literals(text: str) -> tuple[str, ...]:
    """The texts that are written into it."""
    return tuple(_TEXT.findall(text))


def after_columns(text: str) -> str:
    """What follows the columns that a statement is about, from FROM on."""
    found = _TABLE.search(text)
    return text if found is None else text[found.start() :]


def unquoted(name: str) -> str:
    return name.replace('"', "").replace("`", "")


def writes(text: str) -> bool:
    return bool(_WRITES.match(text))


@dataclass(frozen=True)
class Asked:
    """What a statement asks of a column: a value that finds rows, or what no value tells."""

    column: str
    place: int | None = None
    """Of the parameter that holds the value."""
    like: bool = False
    known: tuple[Any, ...] = ()
    """The value, where it is none of the parameters."""

    def values(self, parameters: Sequence[Any]) -> list[Any]:
        """The value in a list, which is empty where there is none."""
        if self.place is None or self.place >= len(parameters):
            return list(self.known)
        value = parameters[self.place]
        if self.like and isinstance(value, str):
            value = re.sub(r"\\(.)", r"\1", value.strip("%"))
        return [value]


def asked(text: str, table: str, *, first: bool = True) -> list[Asked] | None:
    """The columns of a table that a statement filters by; None without a filter.

    The ``first`` table is the one that columns without a table are taken to belong to.
    """
    where = _WHERE.search(text)
    if where is None:
        return None
    found: dict[str, Asked] = {}

    def is_own(match: re.Match[str]) -> bool:
        return not match["alias"] and (match["of"] == table or (match["of"] is None and first))

    def note(match: re.Match[str], **what: Any) -> None:
        if is_own(match):
            found.setdefault(match["column"], Asked(match["column"], **what))

    def note_flag(match: re.Match[str]) -> str:
        note(match, known=(not match["no"],))
        return str(match["lead"])

    def note_null(match: re.Match[str]) -> str:
        note(match, known=(None,))
        return ""

    condition = _ORDER.sub("", _NOT_NULL.sub("", where[1].replace("%%", "  ")))
    plain = _NULL.sub(note_null, _FLAG.sub(note_flag, condition))
    if _NOT.search(plain):
        found.clear()
    else:
        place = text[: where.start(1)].replace("%%", "  ").count("%s")
        for match in _PLACED.finditer(plain):
            if match["column"] is not None:
                note(match, place=place, like=bool(match["like"]))
            place += 1
    for match in _COLUMN.finditer(condition):
        note(match)
    return list(found.values())


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
    found = [
        (
            match["of"],
            match["alias"],
            match["column"] + ("=" if match["equals"] and not loose else ""),
        )
        for match in _COLUMN.finditer(condition[1])
    ]
    return {
        table: tuple(
            sorted(
                {
                    column.rstrip("=") if alias else column
                    for of, alias, column in found
                    if of in (None, table)
                }
            )
        )
        for table in going
    }
