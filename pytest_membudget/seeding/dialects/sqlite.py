"""Growth inside SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect, Field

_FAST = {"foreign_keys": 0, "synchronous": 0, "cache_size": -65536, "temp_store": 2}


class SQLite(Dialect):
    numbering = "integer PRIMARY KEY"
    # Measured: 10 KB of document as text are 4.2 KB in PostgreSQL, compressed by pglz.
    json_ratio = 2.5

    # Foreign keys can be switched off outside of a transaction only.
    @contextmanager
    def fast(self) -> Iterator[None]:
        if self.connection.in_atomic_block:  # SQLite refuses, and slower is fine there
            yield
            return
        before = {name: self.fetch(f"PRAGMA {name}")[0][0] for name in _FAST}
        self._set(_FAST)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, pragmas: dict[str, int]) -> None:
        for name, value in pragmas.items():
            self.execute(f"PRAGMA {name} = {value}")

    def widths(self, model: type[models.Model]) -> dict[str, int]:
        columns = [str(field.column) for field in self.columns(model)]
        quoted = [self.quote(column) for column in columns]
        averages = ", ".join(f"avg(length(CAST({column} AS blob)))" for column in quoted)
        table = self.quote(model._meta.db_table)
        newest = f"SELECT {', '.join(quoted)} FROM {table} ORDER BY rowid DESC LIMIT 1000"
        [row] = self.fetch(f"SELECT {averages} FROM ({newest})")
        return {column: round(width or 0) for column, width in zip(columns, row, strict=True)}

    def stored(self, field: Field, *, compressed: bool, text: bool) -> str:
        return f"length(CAST({self.column(field)} AS blob))"

    def series(self, first: int, last: int) -> str:
        return (
            f"(WITH RECURSIVE s(i) AS (SELECT {first} WHERE {first} <= {last} "
            f"UNION ALL SELECT i + 1 FROM s WHERE i < {last}) SELECT i FROM s) AS series"
        )

    def digits(self, number: str, width: int) -> str:
        return f"printf('%0{width}d', {number})"

    def uuid(self, number: str, prefix: str) -> str:
        return f"('{prefix}' || printf('%012x', {number}))"

    def date(self, number: str) -> str:
        return f"date(946684800 + 86400 * ({number}), 'unixepoch')"

    def moment(self, number: str) -> str:
        return f"datetime(946684800 + {number}, 'unixepoch')"

    def microsecond(self, moment: str, number: str) -> str:
        return f"(substr({moment}, 1, 20) || printf('%06d', {number}))"
