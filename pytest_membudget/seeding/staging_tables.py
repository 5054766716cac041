"""Temporary tables of values made in Python, written and read back as Django would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, groupby
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models.sql import InsertQuery, Query
from django.db.models.sql.compiler import SQLInsertCompiler

from pytest_membudget.seeding.dialects.base import NUMBER, Dialect, Field

Row = tuple[Any, ...]

_TRIAL = "membudget_trial"

_numbers = count()


def new_name() -> str:
    return f"membudget_{next(_numbers)}"


def lookup(name: str, column: str, number: str) -> str:
    """SQL of the value that row ``number`` of a temporary table has."""
    return f"(SELECT k.{column} FROM {name} AS k WHERE k.{NUMBER} = {number})"


class StagingTables:
    """Temporary tables that live within one transaction, numbered from row 1."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._names: dict[str, None] = {}

    def clear(self) -> None:
        for name in list(self._names):
            self.drop(name)

    def create(self, name: str, fields: Sequence[Field]) -> None:
        dialect = self.dialect
        if name in self._names:  # its use has failed, and it may have outlived its savepoint
            self.drop(name)
        columns = [f"{NUMBER} {dialect.numbering}"]
        columns += [f"{dialect.column(f)} {f.rel_db_type(dialect.connection)}" for f in fields]
        dialect.execute(f"CREATE TEMPORARY TABLE {dialect.quote(name)} ({', '.join(columns)})")
        self._names[name] = None

    def drop(self, name: str) -> None:
        # A table whose use failed is gone with its savepoint.
        dialect = self.dialect
        dialect.execute(f"DROP {dialect.temporary} TABLE IF EXISTS {dialect.quote(name)}")
        del self._names[name]

    def load(self, name: str, fields: Sequence[Field], rows: Sequence[Row]) -> None:
        """Insert rows with each field's own way to store a value."""
        connection = self.dialect.connection
        # PostgreSQL's own compiler makes arrays of many rows, which take long for wide values.
        compiler: Any = SQLInsertCompiler(InsertQuery(fields[0].model), connection, None)
        prepared = [
            [compiler.prepare_value(field, value) for field, value in zip(fields, row, strict=True)]
            for row in rows
        ]
        table = f"{self.dialect.quote(name)} ({', '.join(map(self.dialect.column, fields))})"
        found = zip(*compiler.assemble_as_sql(fields, prepared), strict=True)
        with connection.cursor() as cursor:
            for marks, group in groupby(found, key=itemgetter(0)):
                sql = f"INSERT INTO {table} VALUES ({', '.join(marks)})"
                cursor.executemany(sql, [parameters for _, parameters in group])

    def trial(self, field: Field, values: Sequence[Any]) -> None:
        """Store and load some values of one field; raises whatever the field raises."""
        compiler = Query(field.model).get_compiler(connection=self.dialect.connection)
        converters = compiler.get_converters([field.get_col("trial")])
        with self.attempt(_TRIAL, [field]):
            self.load(_TRIAL, [field], [(value,) for value in values])
            rows = self.dialect.execute(f"SELECT {self.dialect.column(field)} FROM {_TRIAL}")
            list(compiler.apply_converters(rows, converters))

    @contextmanager
    def attempt(self, name: str, fields: Sequence[Field]) -> Iterator[None]:
        """A table for what may fail: it is gone afterwards, in any case."""
        with transaction.atomic(using=self.dialect.connection.alias):
            self.create(name, fields)
            yield
            self.drop(name)
