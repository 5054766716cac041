"""What the terminal shows of all budgets, and of the changes between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.compare import Change
from pytest_membudget.reports.tables import comparison_table, render, summary_table
from pytest_membudget.texts import log_text, visible


def summary(results: Sequence[Result], width: int, *, color: bool) -> list[str]:
    """A table of all budgets, as lines no wider than ``width``; a narrow one has fewer columns."""
    measured = cells.measured(results)
    return render(summary_table(measured, width), width, color=color) if measured else []


def notes(results: Sequence[Result]) -> list[str]:
    """What the reader of the table has to know, of budgets that pass as well."""
    skipped = cells.how_many_skipped(results)
    return [
        *([skipped] if skipped else []),
        *(
            log_text(visible(f"{cells.migration(result)}: {message}"))
            for result in results
            for message in cells.noted(result, everything=False)
        ),
    ]


def comparison(changes: Sequence[Change], width: int, *, color: bool) -> list[str]:
    """A table of what became of each budget, as lines no wider than ``width``."""
    return render(comparison_table(changes, width), width, color=color)
