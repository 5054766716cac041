"""The SQL of each database that rows can be grown in."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from pytest_membudget.seeding.dialects.base import Dialect


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    if connection.vendor == "postgresql":
        from pytest_membudget.seeding.dialects.postgresql import PostgreSQL

        return PostgreSQL(connection)
    if connection.vendor == "sqlite":
        from pytest_membudget.seeding.dialects.sqlite import SQLite

        return SQLite(connection)
    raise NotImplementedError(f"rows cannot be grown on {connection.vendor}")
