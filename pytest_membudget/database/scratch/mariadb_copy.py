"""A copy of a MariaDB database: the statements that made it, and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.utils import Error

from pytest_membudget.errors import ServerError

# All rows have passed these checks already, and tables refer to others that come later.
_UNCHECKED = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0"
)
# What SHOW CREATE is asked for; its answer has the mode and the statement in these columns.
_ROUTINES = {
    "PROCEDURE": "SELECT routine_name FROM information_schema.routines"
    " WHERE routine_schema = %s AND routine_type = 'PROCEDURE'",
    "FUNCTION": "SELECT routine_name FROM information_schema.routines"
    " WHERE routine_schema = %s AND routine_type = 'FUNCTION'",
    "TRIGGER": "SELECT trigger_name FROM information_schema.triggers"
    " WHERE trigger_schema = %s ORDER BY action_order",
}
_MODE, _STATEMENT = 1, 2


def copy_database(cursor: Any, source: str) -> None:
    """Copy all of ``source`` into the empty database of the cursor's session."""
    cursor.execute(_UNCHECKED)
    tables, views = list[str](), list[str]()
    cursor.execute(f"SHOW FULL TABLES FROM `{source}`")
    for name, kind in cursor.fetchall():
        if kind not in ("BASE TABLE", "VIEW"):
            raise ServerError(f"the {kind.lower()} {name} can't be copied on MariaDB")
        (views if kind == "VIEW" else tables).append(name)
    for name in tables:
        cursor.execute(f"SHOW CREATE TABLE `{source}`.{_quoted(name)}")
        cursor.execute(cursor.fetchone()[1])
    for name in tables:
        columns = ", ".join(map(_quoted, _stored_columns(cursor, source, name)))
        cursor.execute(
            f"INSERT INTO {_quoted(name)} ({columns})"
            f" SELECT {columns} FROM `{source}`.{_quoted(name)}"
        )
    for kind, query in _ROUTINES.items():
        for mode, statement in _routines(cursor, source, kind, query):
            cursor.execute("SET SESSION sql_mode = %s", [mode])
            cursor.execute(statement)
    _copy_views(cursor, source, views)


def _stored_columns(cursor: Any, source: str, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
        " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [source, table],
    )
    return [name for (name,) in cursor.fetchall()]


def _routines(cursor: Any, source: str, kind: str, query: str) -> Iterator[tuple[str, str]]:
    cursor.execute(query, [source])
    for (name,) in cursor.fetchall():
        cursor.execute(f"SHOW CREATE {kind} `{source}`.{_quoted(name)}")
        row = cursor.fetchone()
        yield row[_MODE], row[_STATEMENT]


def _copy_views(cursor: Any, source: str, views: list[str]) -> None:
    """One may read another that comes later, so each is made once those are there."""
    statements = {}
    for name in views:
        cursor.execute(f"SHOW CREATE VIEW `{source}`.{_quoted(name)}")
        statements[name] = cursor.fetchone()[1].replace(f"`{source}`.", "")
    while statements:
        left = {}
        for name, statement in statements.items():
            try:
                cursor.execute(statement)
            except Error:
                left[name] = statement
        if len(left) == len(statements):
            raise ServerError(f"the view {next(iter(left))} can't be copied on MariaDB")
        statements = left


def _quoted(name: str) -> str:
    return "`{}`".format(name.replace("`", "``"))
