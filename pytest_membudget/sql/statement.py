"""What is known of a statement; see parse.py, which reads it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pytest_membudget.sql.documents import NOTHING, Part, containing
from pytest_membudget.sql.patterns import matching
from pytest_membudget.sql.row_sets import of_count

# A text of so many characters has a width that no column filtered by its length has.
_LONGEST = 10_000
_DATE = len("2026-01-31")


class Table(NamedTuple):
    """A table as a statement names it; ``schema`` is empty where it names none."""

    schema: str
    name: str


@dataclass(frozen=True)
class Filter:
    """A column that a condition is about; a ``place`` or ``known`` is a value that finds rows.

    ``place`` is the position of the value among the marks of the statement's form, ``known`` holds
    it where the condition itself says it.  ``exact`` says that no other value is found.  With a
    ``sign`` the column is compared with the value, with ``length`` that of its text is; with
    ``regex`` it matches it.  With a ``part`` all this is asked of a part of its document, with
    ``count`` of how many rows there are.  ``equal`` says that the column itself has to have the
    value where the predicate holds, and ``every`` that it holds for each row that the statement
    hands over.
    """

    table: Table
    column: str
    place: int | None = None
    known: tuple[Any, ...] = ()
    like: bool = False
    negative: bool = False
    exact: bool = False
    sign: str = "="
    length: bool = False
    regex: bool = False
    part: Part | None = None
    count: bool = False
    equal: bool = False
    every: bool = False

    def values(self, by_position: dict[int, Any]) -> list[Any]:
        """The value in a list, which is empty where it is not known."""
        values = list(self.known) if self.place is None else self._asked(by_position)
        if self.part is None:
            return values
        if self.place is None and not values:
            return self.part.documents(NOTHING, by_position)
        return [one for value in values for one in self.part.documents(value, by_position)]

    def _asked(self, by_position: dict[int, Any]) -> list[Any]:
        """The value that stands for what the condition asks, of the one at its place."""
        if self.place not in by_position:
            return []
        value = by_position[self.place]
        if self.count:
            return list(of_count(self.sign, value))
        if isinstance(value, list | tuple) and self.part is None:
            return list(value)
        if self.like and isinstance(value, str):
            value = containing(re.sub(r"\\(.)", r"\1", value.strip("%")))
        if self.regex:
            return matching(value) if isinstance(value, str) else []
        if self.negative and isinstance(value, int | float):
            value = -value
        if self.sign != "=":
            value = _meeting(self.sign, value)
        if self.length:
            return ["x" * value] if isinstance(value, int) and 0 <= value <= _LONGEST else []
        return [value]


def _meeting(sign: str, value: Any) -> Any:
    """A value that compares so with another one; a time is two days away, in any time zone."""
    up = 1 if sign[0] == ">" else -1
    step = up if len(sign) == 1 else 0
    if isinstance(value, str):
        with suppress(ValueError, OverflowError):
            moved = datetime.fromisoformat(value) + timedelta(days=2 * up)
            return moved.isoformat(" ") if len(value) > _DATE else moved.date().isoformat()
        with suppress(ArithmeticError):
            return str(Decimal(value) + step)
    return value + step if isinstance(value, int | float | Decimal) else value


@dataclass(frozen=True)
class Statement:
    """What is known of a statement from its text.

    ``sources`` are the tables whose rows it takes, changes or removes, the main one first;
    ``target`` is the one that it writes to, ``inserts`` says that it only adds rows there;
    ``changes`` that it changes rows or tables, ``sets`` columns of the target; ``named`` holds
    every relation that it mentions.  ``returns`` says that it hands over rows, ``single`` that they
    are one at most, ``limit`` is the position of the number of its LIMIT.  ``selects`` is the only
    table whose rows it hands over, each once where the columns that it has ``joined`` find single
    rows.  ``functions`` are those that sqlglot doesn't know.  ``declares`` and ``executes`` are
    names of cursors and of prepared statements.  ``ending`` is what follows the columns, for
    messages.
    """

    understood: bool = True
    harmless: bool = False
    sources: tuple[Table, ...] = ()
    target: Table | None = None
    inserts: bool = False
    changes: bool = False
    sets: tuple[str, ...] = ()
    copies: bool = False
    named: frozenset[Table] = frozenset()
    returns: bool = False
    single: bool = False
    limit: int | None = None
    filters: tuple[Filter, ...] = ()
    functions: frozenset[str] = frozenset()
    declares: str = ""
    executes: str = ""
    ending: str = field(default="", compare=False)
    selects: Table | None = None
    joined: tuple[tuple[Table, str], ...] = ()
