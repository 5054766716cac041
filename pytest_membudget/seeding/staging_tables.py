"""Temporary tables of values made in Python, written and read back as Django would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from django.db import models, transaction
from django.db.models.options import Options
from django.db.models.sql import InsertQuery, Query

from pytest_membudget.seeding.dialects.base import NUMBER, Dialect, Field

Row = Sequence[Any]

_BATCH = 1000
_WIDE = 2000
_TRIAL = "membudget_trial"

_numbers = count()


def new_name() -> str:
    return f"membudget_{next(_numbers)}"


def lookup(name: str, column: str, number: str) -> str:
    """SQL of the value that row ``number`` of a temporary table has."""
    return f"(SELECT k.{column} FROM {name} AS k WHERE k.{NUMBER} = {number})"


class _Insert(InsertQuery):
    """Django's own INSERT, with each field's own way to store a value, into another table."""

    def __init__(self, model: type[models.Model], table: str) -> None:
        super().__init__(model)
        self._table = table

    def get_meta(self) -> Options[Any]:
        options = copy(super().get_meta())
        options.db_table = self._table
        return options


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
        columns = [f"{NUMBER} {dialect.numbering}"]
        columns += [f"{dialect.column(f)} {f.rel_db_type(dialect.connection)}" for f in fields]
        dialect.execute(f"CREATE TEMPORARY TABLE {dialect.quote(name)} ({', '.join(columns)})")
        self._names[name] = None

    def drop(self, name: str) -> None:
        # A table whose use failed is gone with its savepoint.
        self.dialect.execute(f"DROP TABLE IF EXISTS {self.dialect.quote(name)}")
        del self._names[name]

    def load(
        self, name: str, fields: Sequence[Field], rows: Sequence[Row], width: float = 0
    ) -> None:
        """Insert rows of about ``width`` bytes, where that is known."""
        connection = self.dialect.connection
        names = [str(field.attname) for field in fields]
        # Django makes arrays of many rows, and to quote wide values in those takes very long.
        most = _BATCH if width < _WIDE else 1
        batch = min(most, connection.ops.bulk_batch_size(list(fields), rows))
        for start in range(0, len(rows), batch):
            objects = [
                SimpleNamespace(**dict(zip(names, row, strict=True)))
                for row in rows[start : start + batch]
            ]
            query = _Insert(fields[0].model, name)
            query.insert_values(list(fields), cast("Any", objects), raw=True)
            query.get_compiler(connection=connection).execute_sql()

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
