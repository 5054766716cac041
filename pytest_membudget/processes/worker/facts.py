"""The settings of a run's process and database that findings depend on."""

from __future__ import annotations

import sys
from typing import Any

from pytest_membudget.database.engine import engine_of


def facts_of(settings: Any, alias: str) -> dict[str, Any]:
    """The attributes of Facts that follow from the settings and the connection."""
    from django.db import connections

    config, connection = settings.DATABASES[alias], connections[alias]
    return {
        "debug": bool(settings.DEBUG),
        "pooled": bool((config.get("OPTIONS") or {}).get("pool")),
        "server_side_cursors_disabled": bool(config.get("DISABLE_SERVER_SIDE_CURSORS")),
        "schemas": _schemas(connection),
        "parameter_limit": _parameter_limit(connection),
    }


def _schemas(connection: Any) -> tuple[str, ...]:
    """The schemas that are searched for a table; empty for the engine's usual ones."""
    query = engine_of(connection.vendor).search_path
    if not query:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(cursor.fetchone()[0])


def _parameter_limit(connection: Any) -> int | None:
    """How many parameters a statement may have; None where that is unknown.

    psycopg writes them into the statement on the client, so PostgreSQL's limit doesn't apply.
    """
    if not engine_of(connection.vendor).limits_parameters or sys.version_info < (3, 11):
        return None
    import sqlite3

    connection.ensure_connection()
    return int(connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
