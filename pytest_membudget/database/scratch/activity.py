"""What a PostgreSQL server counted of the accesses to a database's tables."""

from __future__ import annotations

import time
from typing import Any

# A session hands in what it has counted when it ends, which takes a moment after its client.
_LAST_SESSION_TAKES = 2.0
_OWN = "nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
_TABLES = """
    SELECT schemaname, relname,
        (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint,
        (n_tup_ins + n_tup_upd + n_tup_del)::bigint
    FROM pg_stat_user_tables
"""
# Whose rows the server goes through for a statement that names another table.
_LINKS = f"""
    WITH links (kind, one, other) AS (
        SELECT 'foreign key', conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
        UNION SELECT 'partition', inhrelid, inhparent FROM pg_inherits
        UNION SELECT 'partition', inhparent, inhrelid FROM pg_inherits
        UNION SELECT 'view', ev_class, refobjid FROM pg_rewrite r JOIN pg_depend d ON (
            d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_class'::regclass
        )
    )
    SELECT kind, n.nspname, c.relname, m.nspname, d.relname FROM links
    JOIN pg_class c ON c.oid = one JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class d ON d.oid = other JOIN pg_namespace m ON m.oid = d.relnamespace
    WHERE one <> other AND n.{_OWN} AND m.{_OWN}
"""
_FUNCTIONS = f"""
    SELECT DISTINCT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    JOIN pg_language l ON l.oid = prolang WHERE {_OWN} AND lanname NOT IN ('c', 'internal')
"""
_TRIGGERED = f"""
    SELECT DISTINCT nspname, relname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    JOIN pg_namespace n ON n.oid = relnamespace WHERE NOT tgisinternal AND {_OWN}
"""


def sessions(cursor: Any, name: str) -> int | None:
    """How many sessions there were on a database; None where one of them is still there."""
    end = time.monotonic() + _LAST_SESSION_TAKES
    while time.monotonic() < end:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            " AND backend_type = 'client backend'),"
            " (SELECT sessions FROM pg_stat_database WHERE datname = %s)",
            [name, name],
        )
        now, ever = cursor.fetchone()
        if not now:
            return int(ever)
        time.sleep(0.02)
    return None


def activity(connection: Any) -> dict[str, Any]:
    """Rows accessed by table, and what explains that a statement accesses tables it doesn't name.

    ``tables`` are ``[schema, name, rows read, rows written]``; ``links``, ``[kind, schema, name,
    schema, name]``; ``triggered``, the tables with triggers, ``[schema, name]``; ``functions``,
    names of the database's own.
    """
    with connection.cursor() as cursor:
        found = {}
        for key, sql in (("tables", _TABLES), ("links", _LINKS), ("triggered", _TRIGGERED)):
            cursor.execute(sql)
            found[key] = [list(row) for row in cursor.fetchall()]
        cursor.execute(_FUNCTIONS)
        return {**found, "functions": [name for (name,) in cursor.fetchall()]}
