"""Which of the seeded rows the migration found, and which it looked for."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Container, Mapping, Sequence
from typing import Any

from pytest_membudget.sample import ForcedValues, Run, Sample, Shares, Unmatched
from pytest_membudget.sql.row_sets import is_of_rows

# A statement that is sent for each row, or for every few, finds a few at a time.
_OFTEN = 10
# Django asks for 21 rows where it expects one.
_FEW_ROWS = 99


def touched_share(sample: Sample, tables: Mapping[str, str]) -> float:
    """The share of the seeded rows that a run read or wrote, of the largest model it accessed.

    ``tables`` maps a model label to its table.  A lookup table that is read in full says nothing
    of the rows that a filter left out of a larger one; one that a statement only joins, or has in
    a subquery, says nothing either, nor does one of which single rows are looked up.
    """
    run, largest = sample.run, driving_model(sample, tables)
    if largest is None:
        return 0.0
    table = tables[largest]
    touched = max(run.read.get(table, 0), run.written.get(table, 0))
    return min(1.0, touched / sample.rows[largest])


def driving_model(sample: Sample, tables: Mapping[str, str]) -> str | None:
    """The largest model of which a run loaded, changed or looked for rows; None without one.

    New rows say nothing of those that were there, so a table that only got some counts where there
    is no other.
    """
    run = sample.run
    loaded = run.loads & run.read.keys()
    changed = {table for table, rows in run.written.items() if rows > run.inserted.get(table, 0)}
    asked = {*loaded, *changed, *run.guards, *(_main(one, tables) for one in run.unmatched)}
    driving = [
        label for label, table in tables.items() if table in (asked or run.written or run.read)
    ]
    return max(driving, key=lambda label: sample.rows[label], default=None)


def _main(statement: Unmatched, tables: Mapping[str, str]) -> str:
    """The table that rows of a statement are counted for."""
    seeded = set(tables.values())
    return next((table for table in statement.tables if table in seeded), "")


def loads_no_rows(run: Run) -> bool:
    """Whether all that came into the process were single rows, whatever the tables hold.

    Not where it looked for a row by a condition: what the code does with one was not seen.
    """
    unknown = run.loads or run.guards or run.unattributed or run.opaque
    return not unknown and sum(run.fetched.values()) <= _FEW_ROWS


def unmatched(sample: Sample) -> list[str]:
    """Statements that might have found any number of the seeded rows, and found none."""
    often = sample.size / _OFTEN
    return [one.text for one in sample.run.unmatched if one.times <= often]


def filter_values(run: Run, *, empty: bool) -> dict[str, dict[str, list[Any]]]:
    """The columns that it filters by, with the values that it asks of them.

    Those that it asks no value of are to be ``empty``, as if they had just been added, or left out.
    """
    found = {
        table: {name: values for name, values in columns.items() if values or empty}
        for table, columns in run.filters.items()
    }
    return {table: columns for table, columns in found.items() if columns}


def merged_values(*asked: ForcedValues) -> ForcedValues:
    """What all of them ask of columns; of one column what the last of them asks."""
    found: dict[str, dict[str, Sequence[Any]]] = {}
    for table, columns in (item for one in asked for item in one.items()):
        found.setdefault(table, {}).update(columns)
    return found


def of_several_rows(forced_values: ForcedValues) -> dict[str, dict[str, list[Any]]]:
    """What they ask of several rows at once, which leaves each row as it may be."""
    found = {
        table: {
            name: [one for one in values if is_of_rows(one)] for name, values in columns.items()
        }
        for table, columns in forced_values.items()
    }
    return {
        table: {name: values for name, values in columns.items() if values}
        for table, columns in found.items()
        if any(columns.values())
    }


def values_of(forced_values: ForcedValues, literals: Container[Any]) -> str:
    """The columns that are seeded with values, each with those; empty without one.

    A value is shown where it is one of the ``literals`` of the migration's own source: any other
    may be a secret.
    """
    return ", ".join(
        f"{table}.{name} = {' or '.join(dict.fromkeys(_shown(one, literals) for one in values))}"
        for table, columns in forced_values.items()
        for name, values in columns.items()
        if values
    )


def _shown(value: Any, literals: Container[Any]) -> str:
    if value is None or isinstance(value, bool):
        return repr(value)
    if is_of_rows(value):
        return str(value)
    if isinstance(value, dict):
        its = (f"{key!r}: {_shown(one, literals)}" for key, one in value.items())
        return f"{{{', '.join(its)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(one, literals) for one in value)}]"
    stands_there = isinstance(value, str | int | float) and value in literals
    return reprlib.repr(value) if stands_there else "a value that the code computes"


def share_of_each(forced_values: ForcedValues) -> float:
    """The share of a table's rows that have certain ones of the values which take turns."""
    turns = [
        math.lcm(*(len(v) or 1 for v in columns.values())) for columns in forced_values.values()
    ]
    return 1 / max(turns, default=1)


def of_all_rows(forced_values: ForcedValues, shares: Shares) -> ForcedValues:
    """The columns whose values are not seeded in shares of the rows, but in all of them."""
    return {
        table: {name: its for name, its in columns.items() if name not in shares.get(table, {})}
        for table, columns in forced_values.items()
    }
