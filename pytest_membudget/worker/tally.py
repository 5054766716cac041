"""Count the rows that a migration reads and writes, by table, and what its statements ask for.

Forked children append to a file that the pytest process adds up, since a pool may kill them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_membudget.worker import statements
from pytest_membudget.worker.high_water import Phases
from pytest_membudget.worker.statements import Asked

_MOST_TEXTS = 300
_MOST_SHAPES = 300
_SHOWN = 300
_VALUES = 8
# Of more it finds about as many rows, and they came from somewhere.
_FEW_PARAMETERS = 20


@dataclass(slots=True)
class Statement:
    """One with certain values: ``times`` counts how often it was sent, ``rows`` its rows.

    ``asks`` are the values by table and column; ``looked`` says that somebody, or the driver, has
    looked how many rows there are.
    """

    table: str
    written: bool
    asks: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    times: int = 0
    rows: int = 0
    looked: bool = False

    def count(self, rows: int) -> None:
        self.rows += rows
        self.looked = True


@dataclass(slots=True)
class Shape:
    """The statements of one shape, ``apart`` by their values while these are few.

    ``ending``, from FROM on, is that of one which may load any number of a seeded table's rows.
    Those for each row, or each few rows, are ``merged``: they ask for no value in particular.
    """

    ending: str
    apart: dict[Any, Statement] = field(default_factory=dict)
    merged: Statement | None = None

    def statements(self) -> Iterable[Statement]:
        return [self.merged] if self.merged else self.apart.values()

    def find(self, values: tuple[Any, ...], new: Statement) -> Statement:
        """The statement of these values, which is ``new`` where there is none."""
        try:
            if values in self.apart or len(self.apart) < _VALUES:
                return self.apart.setdefault(values, new)
        except TypeError:  # a list or a document
            pass
        return self.merge(new)

    def merge(self, new: Statement) -> Statement:
        for other in self.apart.values():
            new.times += other.times
            new.rows += other.rows
            new.looked |= other.looked
        self.merged = new
        return new


@dataclass(slots=True)
class Form:
    """What can be read from a text, whatever its parameters are.

    ``literals`` is the hash of the texts that are written into it: they may be long.
    """

    table: str
    written: bool
    asked: dict[str, list[Asked]]
    literals: int
    shape: Shape | None


class Tally:
    """Rows by table.  A statement is credited to the first of the seeded ones that it names.

    ``tables`` are these, each with the sets of columns of which values find a single row;
    ``phases`` is told of each statement before it is sent; ``most_parameters`` counts those of
    the statement that had the most.  ``went_to`` holds every table but those that rows are only
    inserted into, with the columns by which statements choose any number of its rows.
    """

    def __init__(self, tables: dict[str, list[list[str]]], overflow: str, phases: Phases) -> None:
        self.tables = tables
        self.phases = phases
        self.read: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.went_to: dict[str, set[tuple[str, ...]]] = {}
        self.most_parameters = 0
        self._forms: dict[int, Form] = {}
        self._shapes: dict[int, Shape] = {}
        self._overflow = overflow
        self._owner = os.getpid()

    def statement(self, text: str, parameters: Sequence[Any] = ()) -> Statement:
        """What is known of one that is about to be sent."""
        form = self._form(text)
        shape = form.shape
        if shape is None:
            return Statement(form.table, form.written)
        many = len(parameters) > _FEW_PARAMETERS
        if shape.merged is not None:
            shape.merged.times += not many
            return shape.merged
        asks = {
            table: {one.column: one.values(parameters) for one in columns}
            for table, columns in form.asked.items()
        }
        held = (value for columns in asks.values() for found in columns.values() for value in found)
        new = Statement(form.table, form.written, asks)
        one = shape.merge(new) if many else shape.find((form.literals, *held), new)
        one.times += not many
        return one

    def _form(self, text: str) -> Form:
        key = hash(text)
        known = self._forms.get(key)
        if known is None:
            known = self._read(text)
            # Savepoints, each with a name of its own, name no table.
            if known.table and len(self._forms) < _MOST_TEXTS:
                self._forms[key] = known
        return known

    def _read(self, text: str) -> Form:
        ways = statements.destinations(text)
        for going, columns in ways.items():
            if os.getpid() == self._owner:
                self.went_to.setdefault(going, set()).add(columns)
            else:
                self._tell_parent(f"went 0 {json.dumps([going, columns])}")
        named = statements.tables(text)
        written = statements.writes(text)
        seeded = [table for table in dict.fromkeys(named) if table in self.tables]
        table = next(iter(seeded or named), "")
        if table.startswith(statements.BOOKKEEPING):
            return Form(table if seeded else "", written, {}, 0, None)
        if not seeded:
            return Form(table, written, {}, 0, None)
        asked = {
            one: found
            for one in seeded
            if (found := statements.asked(text, one, first=one == table)) is not None
        }
        single = any(
            all(f"{column}=" in ways.get(table, ()) for column in unique)
            for unique in self.tables[table]
        )
        loads = statements.loads(text) and not single
        if not (asked or loads):
            return Form(table, written, {}, 0, None)
        end = statements.after_columns(text)
        shape = Shape(statements.shape(end[:_SHOWN]) if loads else "")
        if len(self._shapes) < _MOST_SHAPES:
            shape = self._shapes.setdefault(hash(statements.shape(end)), shape)
        return Form(table, written, asked, hash(statements.literals(end)), shape)

    def unmatched(self) -> dict[str, int]:
        """The statements that found none of the rows each time, and how often they were sent."""
        found = Counter[str]()
        for shape in self._shapes.values():
            for one in shape.statements():
                if shape.ending and one.looked and not one.rows:
                    found[shape.ending] += one.times
        return {ending: times for ending, times in found.items() if times}

    def filters(self) -> dict[str, dict[str, list[Any]]]:
        """The columns that statements filter by, by table, with the values that they ask for."""
        found: dict[str, dict[str, list[Any]]] = {}
        for shape in self._shapes.values():
            for one in shape.statements():
                for table, columns in one.asks.items():
                    known = found.setdefault(table, {})
                    for column, values in columns.items() if not shape.merged else ():
                        of_column = known.setdefault(column, [])
                        new = [value for value in values if value not in of_column]
                        of_column += new[: _VALUES - len(of_column)]
        return found

    def begin(self) -> None:
        """Forget what was sent before the migration."""
        self.read.clear()
        self.written.clear()
        self.went_to.clear()
        self._forms.clear()
        self._shapes.clear()
        self.most_parameters = 0

    def add(self, table: str, rows: int, *, written: bool) -> None:
        if rows <= 0 or not table:
            return
        if os.getpid() == self._owner:
            (self.written if written else self.read)[table] += rows
        else:
            self._tell_parent(f"{'written' if written else 'read'} {rows} {table}")

    def _tell_parent(self, line: str) -> None:
        with open(self._overflow, "a", opener=_private) as file:
            file.write(f"{line}\n")


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read."""
    return os.open(path, flags, 0o600)
