"""The SQL of each database that rows can be grown in."""

from __future__ import annotations

from django.db import connections

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.dialects.mariadb import MariaDB
from pytest_membudget.seeding.dialects.postgresql import PostgreSQL
from pytest_membudget.seeding.dialects.sqlite import SQLite

_DIALECTS: dict[str, type[Dialect]] = {
    "mysql": MariaDB,
    "postgresql": PostgreSQL,
    "sqlite": SQLite,
}


def dialect_of(using: str) -> Dialect:
    """That of the database of an alias."""
    return _DIALECTS[connections[using].vendor](connections[using])
