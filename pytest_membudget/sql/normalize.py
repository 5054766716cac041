"""What is the same in the texts of statements that differ in parameters, literals and lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_membudget.database.engine import engine_of

# Longer ones are cut after so much, and after so much of what is kept of them.
_LONGEST_TEXT, _LONGEST_FORM = 1_000_000, 4_000
# What a text ends with that was cut, and a value that is not known.
CUT = "…"
UNKNOWN = object()
PARAMETER, TEXT, NUMBER = "%s", "'%s'", "%d"
# Each begins with one of a few characters, which the search is fast to find.
_VARIES = r"""
    [-/"`'$%%.0-9%s] (?:
        (?<=-) -[^\n]* | (?<=/) \*.*?\*/
      | (?<=") (?:[^"]|"")*" | (?<=`) [^`]*`
      | (?<=%s') (?:[^'\\]|''|\\.)*' | (?<=') (?:[^']|'')*'
      | (?<=\$) (?P<tag>\w*)\$.*?\$(?P=tag)\$
      | (?<=%%) (?: (?:\((?P<key>\w+)\))?[sbt] | %% )
      | (?<![\w$?.].) (?: (?<=\d)(?:\d*(?:\.\d*)?) | (?<=\.)\d+ ) (?:[eE][+-]?\d+)? (?!\w)
      %s
    )
"""
# What sqlite3 takes as well, while it is an operator or a cast on PostgreSQL.
_MARKS = r"| (?<=\?) \d* | (?<![:\w].)(?<=[:@$]) (?P<name>[a-zA-Z_]\w*)"
_LIST = re.compile(r"(?:\bIN|=\s*ANY)\s*\(\s*(?:ARRAY\s*\[\s*)?\Z", re.IGNORECASE)
# What stays of a comment, and what is a name.
_KEPT = {"-": " ", "/": " ", '"': "", "`": ""}
_PREFIX = re.compile(r"\b[eEnNxXbB]\Z")
_COMMA = re.compile(r"\s*,\s*\Z")
_LONGEST_PERIOD = 8
_REPEATED = 4


def textual(query: Any) -> str:
    """The text of what a driver's cursor takes as a query: a string, bytes, psycopg's objects."""
    if isinstance(query, str):
        return query
    if isinstance(query, bytes | bytearray):
        return query.decode(errors="replace")
    try:
        return str(query.as_string(None))
    except (AttributeError, TypeError):
        return ""


@dataclass(slots=True)
class Form:
    """A text in which each parameter is ``%s``, each text ``'%s'`` and each number ``%d``.

    Lists, rows and conditions that repeat are shortened, comments left out.  ``parameters`` holds
    the key of each parameter that is kept by the position of its mark, ``literals`` the literals.
    """

    text: str
    parameters: dict[int, Any]
    literals: dict[int, Any]

    @classmethod
    def read(cls, text: str, vendor: str) -> Form:
        whole = text[:_LONGEST_TEXT]
        pieces, picks, rest = _pieces(whole, vendor)
        kept = "".join([*pieces, rest]).strip()
        if len(kept) > _LONGEST_FORM or len(whole) < len(text):
            kept = kept[:_LONGEST_FORM] + CUT
        marked = list(enumerate(picks))
        return cls(
            kept,
            {at: pick for at, pick in marked if not isinstance(pick, list)},
            {at: pick[0] for at, pick in marked if isinstance(pick, list)},
        )

    def values(self, parameters: Any) -> dict[int, Any]:
        """The value of each mark, UNKNOWN where it can't be told."""
        given = {at: _parameter(parameters, key) for at, key in self.parameters.items()}
        return {**self.literals, **given}


@cache
def _varies(vendor: str) -> re.Pattern[str]:
    """One of them is needed in a process, and each takes memory."""
    engine = engine_of(vendor)
    begins, marks = ("?:@", _MARKS) if engine.marks_parameters else ("", "")
    escapes = "" if engine.backslashes else r"\b[eE]"
    return re.compile(_VARIES % (begins, escapes, marks), re.VERBOSE | re.DOTALL)


def _pieces(text: str, vendor: str) -> tuple[list[str], list[Any], str]:
    """The text up to each mark, and the mark; what each stands for; the text after the last."""
    pieces: list[str] = []
    picks: list[Any] = []
    begin, before, parameters, listed = 0, "", 0, False
    for match in _varies(vendor).finditer(text):
        before += text[begin : match.start()]
        begin, found = match.end(), match[0]
        if found[0] in _KEPT or found == "%%":
            before += _KEPT.get(found[0], "%") or found
            continue
        mark, pick = _mark(match, parameters)
        parameters += mark == PARAMETER
        if listed and _COMMA.match(before):
            before = ""
            continue
        if mark == TEXT:
            before = _PREFIX.sub("", before)
        listed = _LIST.search(before) is not None
        pieces.append(before + mark)
        picks.append(pick)
        before = ""
        _shorten(pieces, picks)
    return pieces, picks, before + text[begin:]


def _mark(match: re.Match[str], parameters: int) -> tuple[str, Any]:
    found, groups = match[0], match.groupdict()
    if found[0].isdigit() or found[0] == ".":
        return NUMBER, [int(found) if found.isdigit() else float(found)]
    if found[0] == "'":
        return TEXT, [found[1:-1].replace("''", "'")]
    if match["tag"] is not None:
        return TEXT, [found.split("$", 2)[2].rpartition("$")[0].rpartition("$")[0]]
    return PARAMETER, match["key"] or groups.get("name") or parameters


def _shorten(pieces: list[str], picks: list[Any]) -> None:
    """Leave out what repeats what stands before it: a row of VALUES, a WHEN, a condition."""
    for period in range(1, _LONGEST_PERIOD + 1):
        times = _REPEATED if period == 1 else 2
        last = pieces[-period:]
        if len(pieces) < period * times:
            return
        if all(
            pieces[-period * (n + 1) : len(pieces) - period * n] == last for n in range(1, times)
        ):
            del pieces[-period:], picks[-period:]
            return


def _parameter(parameters: Any, key: Any) -> Any:
    if isinstance(parameters, Mapping):
        return parameters.get(key, UNKNOWN)
    if isinstance(parameters, Sequence) and isinstance(key, int) and key < len(parameters):
        return parameters[key]
    return UNKNOWN
