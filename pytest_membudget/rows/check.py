"""What of a file of rows is in clear, as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from pytest_membudget.rows.document import ColumnRows, RowsFile, TableRows
from pytest_membudget.rows.values import Kind

_KEPT = {
    Kind.MOMENT: "the day",
    Kind.DATE: "the date, moved by some days",
    Kind.BOOLEAN: "true and false",
}
_HEADINGS = ("column", "rows", "in clear")


def clear_table(rows: RowsFile) -> list[str]:
    """A line for each column of which something is in clear, below its headings."""
    lines = [line for name, table in sorted(rows.tables.items()) for line in _lines(name, table)]
    widths = [max(len(line[n]) for line in [_HEADINGS, *lines]) for n in range(2)]
    return [
        f"{column:<{widths[0]}}  {count:>{widths[1]}}  {text}".rstrip()
        for column, count, text in [_HEADINGS, *lines]
    ]


def summary(rows: RowsFile, source: str) -> str:
    count = sum(len(table.rows) for table in rows.tables.values())
    return (
        f"{source}: {count:,} rows of {len(rows.tables)} tables of {rows.database.vendor} "
        f"{rows.database.version}, taken on {rows.taken}; all is masked but this:"
    )


def _lines(name: str, table: TableRows) -> Iterator[tuple[str, str, str]]:
    for place, (column, its) in enumerate(table.columns.items()):
        values = [row[place] for row in table.rows]
        if kept := "; ".join(_kept(its, Counter(map(json.dumps, values)))):
            filled = sum(value is not None for value in values)
            yield f"{name}.{column}", str(filled), kept


def _kept(column: ColumnRows, counts: Mapping[str, int]) -> Iterator[str]:
    known: Mapping[str, str] = {str(kind): text for kind, text in _KEPT.items()}
    if column.kind in known:
        yield known[column.kind]
    if column.keys:
        yield f"keys {', '.join(column.keys)}"
    for where, values in column.values.items():
        texts = map(json.dumps, values)
        shown = (f"{text} ×{counts[text]}" if text in counts else text for text in texts)
        yield f"at {where}: {', '.join(shown)}" if where else ", ".join(shown)
