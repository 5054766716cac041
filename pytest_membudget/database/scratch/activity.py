"""The statistics that a PostgreSQL server keeps of accesses to a database's tables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

Name = tuple[str, str]
"""A table's schema and its name in there."""

# A session reports its counts when it ends, a moment after its client.
_LAST_SESSION_TAKES = 2.0
_OWN = "nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
_TABLES = """
    SELECT schemaname, relname,
        (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint,
        (n_tup_ins + n_tup_upd + n_tup_del)::bigint
    FROM pg_stat_user_tables
"""
# The tables whose rows the server may read for a statement that names another table.
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


@dataclass(frozen=True)
class TableActivity:
    """How many rows of a table were read and written."""

    table: Name
    read: int
    written: int


@dataclass(frozen=True)
class Link:
    """Why the rows of ``other`` may be accessed for a statement that names ``one``.

    ``kind`` is ``"foreign key"``, ``"partition"`` or ``"view"``.
    """

    kind: str
    one: Name
    other: Name


@dataclass(frozen=True)
class Activity:
    """What the server counted in a database.

    ``sessions`` is how many it has had, ``triggered`` the tables with triggers, ``functions`` the
    names of the database's own.
    """

    sessions: int
    tables: list[TableActivity]
    links: list[Link]
    triggered: list[Name]
    functions: list[str]


def sessions(cursor: Any, name: str) -> int | None:
    """How many sessions a database has had; None where one of them is still open."""
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


def activity(connection: Any, sessions: int) -> Activity:
    """Read the counts, and what explains accesses to tables that no statement names."""
    with connection.cursor() as cursor:

        def rows(sql: str) -> list[Any]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        return Activity(
            sessions=sessions,
            tables=[
                TableActivity((schema, name), *counts) for schema, name, *counts in rows(_TABLES)
            ],
            links=[Link(kind, (a, b), (c, d)) for kind, a, b, c, d in rows(_LINKS)],
            triggered=[(schema, name) for schema, name in rows(_TRIGGERED)],
            functions=[name for (name,) in rows(_FUNCTIONS)],
        )
