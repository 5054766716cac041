"""The settings of a run's process and database that findings depend on."""

from __future__ import annotations

import sys
from typing import Any

from pytest_membudget.database.engine import engine_of

_UNITS = {"kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


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
        allowed = [0]
        for name in engine.allowances:
            cursor.execute(f"SHOW {name}")
            allowed.append(_bytes(cursor.fetchone()[0]))
    return {
        "debug": bool(settings.DEBUG),
        "pooled": bool((config.get("OPTIONS") or {}).get("pool")),
        "server_side_cursors_disabled": bool(config.get("DISABLE_SERVER_SIDE_CURSORS")),
        "schemas": schemas,
        "parameter_limit": limit,
        "statement_limit": longest,
        "server_allowance": max(allowed),
        "server_session": _server_session(connection, engine.server_processes),
    }


def _server_session(connection: Any, processes: str) -> tuple[int, int] | None:
    """What the connection's own process of the server took at least and at most; None where it
    can't be seen.
    """
    if not processes:
        return None
    from pytest_membudget.processes.worker.server_processes import memory_of_session

    session = getattr(connection.connection, "info", None)
    process = getattr(session, "backend_pid", 0)
    return memory_of_session(process, processes, connection.settings_dict["NAME"])


def _bytes(setting: str) -> int:
    """A setting of PostgreSQL's in bytes, ``"64MB"``; 0 where it is of another kind."""
    digits = setting.rstrip("kMGTB")
    factor = _UNITS.get(setting.removeprefix(digits), 0)
    return int(digits) * factor if digits.isdigit() else 0
