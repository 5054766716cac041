"""Reads some rows of tables, and those that they refer to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError

from pytest_membudget.database.error_text import message
from pytest_membudget.project import model_columns
from pytest_membudget.project.model_columns import CONTENT_TYPES, table_of
from pytest_membudget.project.row_queries import RowQueries, TableFacts
from pytest_membudget.rows.tables import Place, RawTable
from pytest_membudget.rows.values import plain

_ROWS = 300
_OWN = 100
_MOST = 1000
"""Rows of a table, how many of them not only because others refer to them, and of one that many
refer to."""


class RowReader:
    """Reads tables, those that others refer to after these; ``problems`` are what failed."""

    def __init__(self, queries: RowQueries) -> None:
        self.there = queries.tables()
        self.problems: list[str] = []
        self._queries = queries
        self._facts: dict[str, TableFacts] = {}
        self._rows: dict[str, list[list[Any]]] = {}
        self._generic: dict[str, Mapping[str, str]] = {}
        self._types: dict[int, str | None] = {}
        if CONTENT_TYPES in self.there:
            with self._attempt(CONTENT_TYPES):
                labels = queries.content_types()
                self._types = {number: table_of(label) for number, label in labels.items()}

    def read(self, names: Sequence[str]) -> None:
        for name in names:
            self._describe(name)
        for name in list(self._facts):
            self._describe_parents(name)
        wanted = set(names)
        for name in self._children_first():
            with self._attempt(name):
                self._add_referred(name)
                if name in wanted:
                    have = self._rows[name]
                    self._add(
                        name, self._queries.spread(self._facts[name], max(_OWN, _ROWS - len(have)))
                    )
        # Rows that refer to others of the same table, and tables that refer to each other.
        before = -1
        while before != (before := sum(map(len, self._rows.values()))):
            for name in self._facts:
                with self._attempt(name):
                    self._add_referred(name)

    def tables(self) -> dict[str, RawTable]:
        return {
            name: RawTable(
                columns=list(facts.columns),
                rows=[_decoded(row, facts) for row in self._rows[name]],
                key=facts.key,
                references=facts.references,
                choices=model_columns.choices(name),
                labels=model_columns.labels(name),
                generic={
                    column: [table for table, _ in self._generic_keys(name, column)]
                    for column in self._generic[name]
                },
            )
            for name, facts in self._facts.items()
        }

    def _describe(self, name: str) -> None:
        if name in self._facts or name not in self.there:
            return
        with self._attempt(name):
            facts = self._queries.facts(name, model_columns.references(name))
            if facts.columns:
                self._facts[name], self._rows[name] = facts, []
                known = model_columns.generic(name).items()
                there = {one: its for one, its in known if {one, its} <= set(facts.columns)}
                self._generic[name] = there

    def _describe_parents(self, name: str) -> None:
        for parent, _ in self._facts[name].references.values():
            if parent not in self._facts:
                self._describe(parent)
                if parent in self._facts:
                    self._describe_parents(parent)

    def _children_first(self) -> Iterator[str]:
        left = dict.fromkeys(self._facts)
        while left:
            referred = {
                parent
                for name in left
                for parent, _ in self._facts[name].references.values()
                if parent != name
            }
            found = [name for name in left if name not in referred] or [next(iter(left))]
            yield from found
            for name in found:
                del left[name]

    def _add_referred(self, name: str) -> None:
        """Rows that rows of other tables, or of this one, refer to."""
        facts, rows = self._facts[name], self._rows[name]
        places = {place for its in self._facts.values() for place in its.references.values()}
        places.add((name, facts.key or ""))
        for target in [column for column in facts.columns if (name, column) in places]:
            place = list(facts.columns).index(target)
            missing = self._referred((name, target)) - {row[place] for row in rows}
            room = _MOST - len(rows)
            if missing and room > 0:
                some = sorted(missing, key=str)[:room]
                self._add(name, self._queries.having(facts, target, some))

    def _referred(self, place: Place) -> set[Any]:
        """The values of a column that rows have which refer to it."""
        table, column = place
        found = {
            row[list(facts.columns).index(own)]
            for name, facts in self._facts.items()
            for own, its in facts.references.items()
            if its == place
            for row in self._rows[name]
        }
        if column == self._facts[table].key:
            keys = (
                key
                for name in self._facts
                for own in self._generic[name]
                for its, key in self._generic_keys(name, own)
                if its == table
            )
            found |= {int(key) for key in keys if str(key).isdecimal()}
        return found - {None}

    def _generic_keys(self, name: str, column: str) -> list[tuple[str | None, Any]]:
        """The table and the key that each row refers to by this column."""
        columns = list(self._facts[name].columns)
        key, kind = columns.index(column), columns.index(self._generic[name][column])
        return [(self._types.get(row[kind]), row[key]) for row in self._rows[name]]

    def _add(self, name: str, rows: Iterator[list[Any]]) -> None:
        facts, have = self._facts[name], self._rows[name]
        place = list(facts.columns).index(facts.key) if facts.key else None
        known = {row[place] for row in have} if place is not None else set()
        for row in rows:
            if place is None or row[place] not in known:
                have.append(row)
                if place is not None:
                    known.add(row[place])

    @contextmanager
    def _attempt(self, name: str) -> Iterator[None]:
        """A table that can't be read is left with the rows that were read."""
        self._queries.execute("SAVEPOINT membudget")
        try:
            yield
        except DatabaseError as error:
            self._queries.execute("ROLLBACK TO SAVEPOINT membudget")
            problem = f"{name}: {message(error).splitlines()[0]}"
            self.problems += [problem] if problem not in self.problems else []


def _decoded(row: list[Any], facts: TableFacts) -> list[Any]:
    """Plain values; drivers return documents as texts."""
    return [
        json.loads(value) if column in facts.documents and isinstance(value, str) else plain(value)
        for column, value in zip(facts.columns, row, strict=True)
    ]
