"""Whether the number of a table's rows affects the memory of a migration, as runs over few tell."""

from __future__ import annotations

from pytest_membudget.sample import Run
from pytest_membudget.sql.table_names import finds_one, is_own_of_django

_FEW = 20
# Of fewer than these it takes the same number, whatever the table holds, or finds none.
_SOME = _FEW / 4
# About the most that a row was seen to take: 6.8 KiB for 330 bytes, in a bulk_update on PostgreSQL.
_MOST_BYTES, _MOST_TIMES = 8 * 1024, 25
_SMALL_SHARE = 0.05


def worked_on(done: Run) -> set[str]:
    """The tables that the database had work with in a run, and words that may be names of some."""
    others = {*done.changed, *done.mentioned}
    return {*done.accessed_tables, *(one for one in others if not is_own_of_django(one))}


def few_rows(production: int | None) -> int:
    """A table of three rows may have no room for more: its unique columns say so."""
    return max(1, min(_FEW, production or _FEW))


def grows_with(table: str, done: Run, uniques: list[list[str]]) -> bool:
    """Whether more rows in a table may mean more in the process.

    Not where all that it takes are a few, without a choice or by a key that finds a single one, nor
    where the database changes them by itself.  What none of a few rows meets may well be met in
    production.  A receiver may load what the migration has changed.
    """
    if any(table in one.loads for one in done.receivers):
        return True
    if any(table in one.tables for one in done.unmatched):
        return True
    fetched = done.fetched.get(table, 0)
    # Where a statement that may load any number has found few, a joined table left rows out.
    if fetched >= _SOME or (fetched and table in done.loads):
        return True
    return any(
        columns and not finds_one(columns, uniques)
        for columns in done.accessed_tables.get(table, ())
    )


def is_guarded(table: str, done: Run, uniques: list[list[str]]) -> bool:
    """Whether code went on without a row that it had looked for, not by a key."""
    return any(not finds_one(columns, uniques) for columns in done.guards.get(table, ()))


def is_only_joined(table: str, done: Run) -> bool:
    """Rows are counted for the first table of a statement: it multiplies those of another one."""
    by_columns = any(done.accessed_tables.get(table, ()))
    return not (table in done.read or table in done.written or by_columns)


def are_few(rows: int, width: float | None, limit: int) -> bool:
    """Whether these rows, all of them held in the costliest way, are a small share of the limit."""
    if width is None:
        return False
    return rows * max(_MOST_BYTES, _MOST_TIMES * width) <= _SMALL_SHARE * limit
