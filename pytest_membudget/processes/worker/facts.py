"""The settings of a run's process and database that findings depend on."""

from __future__ import annotations

import sys
from typing import Any

from pytest_membudget.database.engine import engine_of


def facts_of(settings: Any, alias: str) -> dict[str, Any]:
    """The attributes of Facts that follow from the settings and the connection."""
    from django.db import connections

    config, connection = settings.DATABASES[alias], connections[alias]
    engine = engine_of(connection.vendor)
    limit = longest = None
    schemas: tuple[str, ...] = ()
    with connection.cursor() as cursor:
        if engine.search_path:
            cursor.execute(engine.search_path)
            found = cursor.fetchone()[0]
            schemas = (found,) if isinstance(found, str) else tuple(found)
        if engine.longest_statement:
            cursor.execute(engine.longest_statement)
            longest = int(cursor.fetchone()[0])
        # PostgreSQL's limit doesn't apply: psycopg writes parameters into the statement.
        if engine.limits_parameters and sys.version_info >= (3, 11):
            import sqlite3

            limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return {
        "debug": bool(settings.DEBUG),
        "pooled": bool((config.get("OPTIONS") or {}).get("pool")),
        "server_side_cursors_disabled": bool(config.get("DISABLE_SERVER_SIDE_CURSORS")),
        "schemas": schemas,
        "parameter_limit": limit,
        "statement_limit": longest,
    }
