"""What seeding takes from a profile: row counts, and what the values of each column are like."""

from __future__ import annotations

from typing import Any

from pytest_membudget.profile.document import Profile
from pytest_membudget.profile.widths import stored_widths


def row_counts(profile: Profile) -> dict[str, int | None]:
    """Rows by table; None for a table that production has never analysed."""
    return {name: table.rows for name, table in profile.tables.items()}


def shape(profile: Profile) -> dict[str, dict[str, dict[str, Any]]]:
    """By table and column, plain JSON values: see ``Shape`` in seeding/column_stats.py."""
    found = {}
    for name, table in profile.tables.items():
        widths = stored_widths(table)
        found[name] = {
            column: {
                "width": widths[column].bytes if column in widths else None,
                "compressed": column in widths and widths[column].compressed,
                "text": profile.exact,
                "nulls": figures.nulls,
                "distinct": figures.distinct,
                "rows": table.rows,
            }
            for column, figures in table.columns.items()
        }
    return found
