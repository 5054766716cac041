"""The columns of the tables that the terminal and Markdown show: by name, what a cell holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.compare import Change

Columns = dict[str, Callable[[Any], Any]]

LEFT = ("", "migration", "database", "verdict", "line")
"""Those that are aligned to the left."""


def of_results(results: Sequence[Result]) -> Columns:
    """One row for each budget."""
    columns: Columns = {
        "migration": cells.migration,
        "database": cells.vendor,
        "rows": cells.rows,
        "peak": cells.peak,
        "limit": cells.limit,
        "headroom": cells.headroom,
        "fits up to": cells.fits,
        "verdict": cells.verdict,
    }
    return columns if cells.several_vendors(results) else without(columns, "database")


def of_changes(changes: Sequence[Change]) -> Columns:
    """One row for what became of each budget."""
    columns: Columns = {
        "migration": lambda change: cells.migration(change.latest),
        "database": lambda change: cells.vendor(change.latest),
        "before": lambda change: cells.short_peak(change.old) if change.old else "",
        "after": lambda change: cells.short_peak(change.new) if change.new else "",
        "difference": lambda change: change.difference,
        "bytes a row": lambda change: change.bytes_per_row,
        "verdict": lambda change: change.verdict,
    }
    several = cells.several_vendors(change.latest for change in changes)
    return columns if several else without(columns, "database")


def without(columns: Columns, name: str) -> Columns:
    return {title: cell for title, cell in columns.items() if title != name}
