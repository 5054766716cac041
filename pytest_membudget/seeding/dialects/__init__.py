"""The SQL of each database that rows can be grown in."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.dialects.postgresql import PostgreSQL
from pytest_membudget.seeding.dialects.sqlite import SQLite

_DIALECTS: dict[str, type[Dialect]] = {"postgresql": PostgreSQL, "sqlite": SQLite}


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    return _DIALECTS[connection.vendor](connection)
