"""What a statement reads, writes and filters by, as sqlglot parses it.

It costs 16 MiB and 0.14 s to import sqlglot, so this module is imported where statements are read:
in the pytest process, once a migration has run.  The process that is weighed never imports it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from pytest_membudget.database.engine import MARIADB, engine_of
from pytest_membudget.sql.literals import without_literals
from pytest_membudget.sql.mysql_documents import in_common_words
from pytest_membudget.sql.normalize import CUT
from pytest_membudget.sql.positions import NUMBERED
from pytest_membudget.sql.statement import Statement
from pytest_membudget.sql.tree import Reader

# It warns of each statement that it keeps as text.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

# The marks of a form, in order, become literals that say which one they are.
_MARK = re.compile(r"'%s'|%s|%d")
_LITERAL = re.compile(r"'p\d+'|\b7\d{6}\b")
# A cursor or a prepared statement, which sqlglot knows no form for.
_NAMED = re.compile(
    r"\s*(?:DECLARE\s+(?P<cursor>\S+)\s.*?\bFOR\b|PREPARE\s+(?P<prepared>[^\s(]+).*?\bAS\b)(?P<statement>.*)",
    re.IGNORECASE | re.DOTALL,
)
# These say nothing about rows of a table, whatever they return.
_HARMLESS = frozenset({"SHOW", "PRAGMA", "EXPLAIN", "SET", "RESET", "LISTEN", "NOTIFY", "VACUUM"})


def shown(form: str) -> str:
    """A form as it is shown: each value is ``%s``, also one that was cut or is quoted as a name."""
    return without_literals(_MARK.sub("%s", form))


def marks(form: str) -> int:
    """How many values there are in a form."""
    return len(_MARK.findall(form))


@lru_cache(maxsize=2_000)
def read(form: str, vendor: str) -> Statement:
    """What a form, see normalize.py, says; ``understood`` is False where it can't be parsed."""
    dialect = engine_of(vendor).sqlglot
    cut = form.endswith(CUT)
    places = iter(range(len(form)))

    def literal(match: re.Match[str]) -> str:
        place = next(places)
        return str(NUMBERED + place) if match[0] == "%d" else f"'p{place}'"

    text = _MARK.sub(literal, form.removesuffix(CUT))
    try:
        return _read(text, dialect, form, ErrorLevel.IGNORE if cut else ErrorLevel.IMMEDIATE)
    except (SqlglotError, RecursionError):
        return Statement(understood=False, ending=shown(form))


def _read(text: str, dialect: str, form: str, level: ErrorLevel) -> Statement:
    words = text.split()
    head = "".join(words[:1]).upper()
    if head in _HARMLESS and ";" not in text.rstrip("; "):
        return Statement(harmless=True, ending=shown(form))
    if body := _NAMED.match(text):
        inner = _parsed(body["statement"], dialect, level)
        return replace(inner, declares=_plain(body["cursor"] or body["prepared"]), returns=False)
    if head in ("FETCH", "MOVE", "EXECUTE"):
        name = _plain(words[1 if head == "EXECUTE" else -1])
        return Statement(executes=name, returns=head != "MOVE", ending=shown(form))
    return _parsed(text, dialect, level)


def _plain(name: str) -> str:
    return name.partition("(")[0].strip('";').lower()


def _ending(text: str, dialect: str) -> str:
    """The text from the outermost FROM on, or all of it, as it is shown."""
    depth = 0
    for token in sqlglot.tokenize(text, read=dialect):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.text.upper() == "FROM":
            text = text[token.start :]
            break
    return without_literals(_LITERAL.sub("%s", text))


def _parsed(text: str, dialect: str, level: ErrorLevel) -> Statement:
    ending = _ending(text, dialect)
    trees = [tree for tree in sqlglot.parse(text, read=dialect, error_level=level) if tree]
    if not trees or any(isinstance(tree, exp.Command | exp.Alias | exp.Column) for tree in trees):
        return Statement(understood=False, ending=ending)
    if dialect == MARIADB.sqlglot:
        trees = [in_common_words(tree) for tree in trees]
    found = [Reader(tree).statement(ending) for tree in trees]
    if len(found) == 1:
        return found[0]
    first = next((one for one in found if one.returns), found[0])
    return replace(
        first,
        sources=tuple(dict.fromkeys(t for one in (first, *found) for t in one.sources)),
        named=frozenset(table for one in found for table in one.named),
        filters=tuple(known for one in found for known in one.filters),
        functions=frozenset(name for one in found for name in one.functions),
    )
