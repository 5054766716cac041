"""Growth inside SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_membudget.seeding.dialects.base import Dialect, Field

_FAST = {"foreign_keys": 0, "synchronous": 0, "cache_size": -65536, "temp_store": 2}


class SQLite(Dialect):
    numbering = "integer PRIMARY KEY"
    # Measured: 10 KB of document as text are 4.2 KB in PostgreSQL, compressed by pglz.
    json_ratio = 2.5
    compresses = False
    series = (
        "(WITH RECURSIVE s(i) AS (SELECT {0} WHERE {0} <= {1} "
        "UNION ALL SELECT i + 1 FROM s WHERE i < {1}) SELECT i FROM s) AS series"
    )
    digits = "printf('%0{1}d', {0})"
    uuid = "('{}' || printf('%012x', {}))"
    date = "date(946684800 + 86400 * ({}), 'unixepoch')"
    moment = "datetime(946684800 + {}, 'unixepoch')"
    microsecond = "(substr({}, 1, 20) || printf('%06d', {}))"
    size = "length(CAST({} AS blob))"

    # Foreign keys can be switched off outside of a transaction only.
    @contextmanager
    def fast(self) -> Iterator[None]:
        if self.connection.in_atomic_block:  # SQLite refuses, and slower is fine there
            yield
            return
        before = {name: self.execute(f"PRAGMA {name}")[0][0] for name in _FAST}
        self._set(_FAST)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, pragmas: dict[str, int]) -> None:
        for name, value in pragmas.items():
            self.execute(f"PRAGMA {name} = {value}")

    def stored(self, field: Field, *, compressed: bool, text: bool) -> str:
        return self.size.format(self.column(field))
