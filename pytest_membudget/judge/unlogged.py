"""Rows that the server counted and that no logged statement explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_membudget.database.engine import POSTGRESQL
from pytest_membudget.database.scratch.activity import Activity, Name, TableActivity
from pytest_membudget.judge.coverage import TOUCHED_TOO_FEW
from pytest_membudget.sample import Outcome, Run
from pytest_membudget.sql.statement import Table
from pytest_membudget.sql.table_names import TableNames

# PostgreSQL's own functions that run SQL which they are given as a text.
_RUNS_SQL = frozenset(
    {"query_to_xml", "query_to_xml_and_xmlschema", "table_to_xml", "ts_rewrite", "ts_stat"}
)


def unlogged_rows(
    activity: Activity | None, run: Run, uniques: Mapping[str, Any], seeded: Mapping[str, int]
) -> dict[str, int]:
    """How many more rows of the ``seeded`` tables were accessed than the statements of a run say.

    ``activity`` is what the server counted in the run's database, None where it can't be told.
    The server also goes through rows by itself, so only tables count that no statement leads to;
    where there was a session that Django did not open, those count as well that one does.
    """
    if activity is None:
        return {}
    names = TableNames(uniques, POSTGRESQL.vendor, run.facts.schemas)

    def key(table: Name) -> str:
        return names.key(Table(*table))

    plain, of_changes = set(), set()
    for link in activity.links:
        one, other = key(link.one), key(link.other)
        if link.kind == "foreign key":
            of_changes |= {(one, other), (other, one)}
        else:
            plain.add((one, other))
    explained = _reached(run.named, plain)
    changes = run.changed.union(*(one.changed for one in run.receivers))
    changed = _reached(changes & explained, plain | of_changes)
    triggered = {key(table) for table in activity.triggered}
    own = has_own_sessions(activity, run)
    running = {*activity.functions, *_RUNS_SQL}
    unclear = run.opaque or run.functions & running or triggered & changed
    if unclear and not own:
        return {}
    skipped = changed - run.named if own else explained | changed
    return {
        table: more
        for counted in activity.tables
        if (table := key(counted.table)) in seeded and table not in skipped
        if (more := _more(run, table, counted)) >= max(1, TOUCHED_TOO_FEW * seeded[table])
    }


def _more(run: Run, table: str, counted: TableActivity) -> int:
    """The rows that the server counted beyond those of statements."""
    read, written = run.read.get(table, 0), run.written.get(table, 0)
    return max(counted.read - read - written, counted.written - written)


def has_own_sessions(activity: Activity | None, run: Run, before: int | None = 0) -> bool:
    """Whether the run had sessions of its database that Django did not open.

    ``before`` is how many there were before the run, None where that can't be told.
    """
    # A run that broke off has not told how many connections it opened.
    if activity is None or run.outcome != Outcome.FINISHED or run.facts.pooled or before is None:
        return False
    return activity.sessions - before > run.facts.connected


def _reached(tables: Iterable[str], links: set[tuple[str, str]]) -> set[str]:
    """These tables and all that links lead to from them."""
    found, new = set(tables), set(tables)
    while new:
        new = {other for one, other in links if one in new} - found
        found |= new
    return found
