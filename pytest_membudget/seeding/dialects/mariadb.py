"""Growth inside MariaDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect, Field

_FAST = {"foreign_key_checks": "0"}


class MariaDB(Dialect):
    numbering = "integer AUTO_INCREMENT PRIMARY KEY"
    # A document is stored as its text, as on SQLite.
    json_ratio = 2.5
    compresses = False
    temporary = "TEMPORARY"
    # The engine SEQUENCE counts with unsigned numbers, whose differences may not be negative.
    series = "(SELECT CAST(seq AS SIGNED) AS i FROM seq_{}_to_{}) AS series"
    quotient = "({} DIV {})"
    digits = "lpad({}, {}, '0')"
    uuid = "concat('{}', lower(lpad(hex({}), 12, '0')))"
    date = "(DATE '2000-01-01' + INTERVAL ({}) DAY)"
    moment = "(TIMESTAMP '2000-01-01 00:00:00' + INTERVAL ({}) SECOND)"
    microsecond = "({0} - INTERVAL microsecond({0}) MICROSECOND + INTERVAL {1} MICROSECOND)"
    size = "octet_length({})"

    _grown: tuple[str, ...] = ()

    def literal(self, value: Any) -> str:
        """Django's own is for a statement with parameters: it doubles each ``%``."""
        if not isinstance(value, str):
            return super().literal(value)
        self.connection.ensure_connection()
        session: Any = self.connection.connection
        found = session.escape(value, session.encoders)
        return str(found.decode() if isinstance(found, bytes) else found)

    def joined(self, parts: Iterable[str]) -> str:
        return f"concat({', '.join(parts)})"

    @contextmanager
    def fast(self) -> Iterator[None]:
        names = ", ".join(f"@@{name}" for name in _FAST)
        [before] = self.execute(f"SELECT {names}")
        self._set(_FAST)
        try:
            yield
        finally:
            self._set(dict(zip(_FAST, map(str, before), strict=True)))
        # It would end the transaction.
        if self._grown and not self.connection.in_atomic_block:
            self.execute(f"ANALYZE TABLE {', '.join(self._grown)}")
            self._grown = ()

    def finish(self, model: type[models.Model]) -> None:
        self._grown = (*self._grown, self.quote(model._meta.db_table))

    def stored(self, field: Field, *, compressed: bool, text: bool) -> str:
        return self.size.format(self.column(field))

    def _set(self, values: dict[str, str]) -> None:
        self.execute(f"SET SESSION {', '.join(f'{name} = {its}' for name, its in values.items())}")
