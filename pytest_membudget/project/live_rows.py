"""Some rows of each table of a real database, read over Django's connection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

from django.apps import apps
from django.db import DatabaseError

from pytest_membudget.database.error_text import message
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.document import Database
from pytest_membudget.project.live_profile import connection_of, read_only
from pytest_membudget.project.models import every_table
from pytest_membudget.project.row_queries import TIMEOUT, RowQueries, TableFacts
from pytest_membudget.rows.document import RowsFile
from pytest_membudget.rows.tables import Place, RawTable, masked
from pytest_membudget.rows.values import plain

# The migrations of a project make their rows, and its code names what is in them; sessions are
# nobody's business.
_LEFT_OUT = {"django_content_type", "auth_permission", "django_migrations", "django_session"}
_ROWS = 300
_OWN = 100
_MOST = 1000
"""Rows of a table, how many of them not only because others refer to them, and of one that many
refer to."""


def take_rows(alias: str, tables: Sequence[str]) -> tuple[RowsFile, list[str]]:
    """Masked rows of the database ``alias``, and what could not be read.

    Of all tables of the project's models, or of ``tables``, which may be labels of models, and
    of those that they refer to.
    """
    connection = connection_of(alias)
    try:
        with read_only(connection), connection.cursor() as cursor:
            for statement in TIMEOUT.get(connection.vendor, ()):
                cursor.execute(statement)
            reader = _Reader(RowQueries(connection, cursor))
            reader.read(_wanted(tables, reader.there))
            raw, problems = reader.tables(), reader.problems
            version = ".".join(map(str, connection.get_database_version()))
    except DatabaseError as error:
        raise BudgetError(f"{alias}: {message(error)}") from error
    today = datetime.now(timezone.utc).date()
    return RowsFile(Database(connection.vendor, version), today, masked(raw)), problems


def _wanted(tables: Sequence[str], there: Collection[str]) -> list[str]:
    """Their names in the database.  Raises BudgetError for one that is not there."""
    if not tables:
        return sorted((every_table() & set(there)) - _LEFT_OUT)
    found = []
    for wanted in tables:
        name = wanted
        if wanted not in there and "." in wanted:
            with suppress(LookupError, ValueError):
                name = apps.get_model(wanted)._meta.db_table
            name = name.replace(".", "_").lower() if name == wanted else name
        if name not in there:
            raise BudgetError(f"--table {wanted}: there is no such table or model")
        found.append(name)
    return found


class _Reader:
    """Reads tables, those that others refer to after these; ``problems`` are what failed."""

    def __init__(self, queries: RowQueries) -> None:
        self.there = queries.tables()
        self.problems: list[str] = []
        self._queries = queries
        self._facts: dict[str, TableFacts] = {}
        self._rows: dict[str, list[list[Any]]] = {}

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
                choices=_choices(name),
            )
            for name, facts in self._facts.items()
        }

    def _describe(self, name: str) -> None:
        if name in self._facts or name not in self.there or name in _LEFT_OUT:
            return
        with self._attempt(name):
            facts = self._queries.facts(name, _references(name))
            if facts.columns:
                self._facts[name], self._rows[name] = facts, []

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
        for target in [column for column in facts.columns if (name, column) in places]:
            place = list(facts.columns).index(target)
            missing = self._referred((name, target)) - {row[place] for row in rows}
            room = _MOST - len(rows)
            if missing and room > 0:
                some = sorted(missing, key=str)[:room]
                self._add(name, self._queries.having(facts, target, some))

    def _referred(self, place: Place) -> set[Any]:
        return {
            row[list(facts.columns).index(column)]
            for name, facts in self._facts.items()
            for column, its in facts.references.items()
            if its == place
            for row in self._rows[name]
        } - {None}

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


def _references(table: str) -> dict[str, Place]:
    """Those of the model, which need no constraint in the database."""
    found: dict[str, Place] = {}
    for field in _fields(table):
        if field.is_relation and field.remote_field:
            target: Any = field.target_field
            found[str(field.column)] = target.model._meta.db_table.strip('"'), str(target.column)
    return found


def _choices(table: str) -> Mapping[str, Collection[Any]]:
    return {
        str(field.column): {value for value, _ in field.flatchoices}
        for field in _fields(table)
        if field.choices
    }


def _fields(table: str) -> list[Any]:
    return [
        field
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table.strip('"') == table and not model._meta.proxy
        for field in model._meta.local_concrete_fields
    ]
