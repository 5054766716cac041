"""What the terminal shows of all budgets, and of the changes between two runs, by Rich."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells, compare, trend
from pytest_membudget.reports.cells import LEFT, Columns
from pytest_membudget.reports.compare import Change
from pytest_membudget.reports.noted import noted
from pytest_membudget.reports.trend import Trend
from pytest_membudget.texts import log_text, visible

_STYLES = {
    Verdict.WITHIN: "green",
    Verdict.EXCEEDS: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "red",
}
_WIDE = 120
_NO_END = 10_000


def summary(results: Sequence[Result], width: int, *, color: bool) -> list[str]:
    """All budgets in lines no wider than ``width``, which may shorten cells and omit columns."""
    measured = cells.measured(results)
    if not measured:
        return []
    columns = cells.columns(measured)
    if width >= _WIDE:
        table = _table_of({**columns, "verdict": _verdict_with_basis}, measured)
        if _natural_width(table) <= width:
            return render(table, width, color=color)
    short = {"peak": cells.short_peak, "time": cells.short_duration, "verdict": _verdict}
    narrow: Columns = {name: short.get(name, cell) for name, cell in columns.items()}
    return _fitting(narrow, measured, width, ("rows", "headroom", "fits up to"), color)


def comparison(changes: Sequence[Change], width: int, *, color: bool) -> list[str]:
    """A table of what became of each budget, as lines no wider than ``width``."""
    columns: Columns = {**compare.columns(changes), "verdict": _changed_verdict}
    return _fitting(columns, changes, width, ("bytes a row", "before", "difference"), color)


def trend_table(trends: Sequence[Trend], width: int, *, color: bool) -> list[str]:
    """A table of budgets over several runs, as lines no wider than ``width``."""
    return _fitting(trend.columns(trends), trends, width, ("runs", "rows", "growth"), color)


def times(results: Sequence[Result]) -> list[str]:
    """How long each check took, and what it waited for."""
    return [f"{cells.migration(result)}: {cells.seconds(result)}" for result in results]


def notes(results: Sequence[Result]) -> list[str]:
    """What the reader of the table has to know, of budgets that pass as well."""
    skipped = cells.how_many_skipped(results)
    found = [
        f"{cells.migration(result)}: {message}"
        for result in results
        for message in noted(result, everything=False)
    ]
    return [*filter(None, [skipped]), *(log_text(visible(text)) for text in found)]


def _fitting(
    columns: Columns, items: Sequence[Any], width: int, spared: Sequence[str], color: bool
) -> list[str]:
    """A table of as many columns as there is room for; those of ``spared`` go first."""
    for name in spared:
        if _natural_width(_table_of(columns, items)) <= width:
            break
        del columns[name]
    return render(_table_of(columns, items), width, color=color)


def _verdict(result: Result) -> Text:
    style = "yellow" if result.accepted else _STYLES[result.verdict]
    return Text(cells.verdict(result), style=style)


def _verdict_with_basis(result: Result) -> Text:
    return _verdict(result) + (f", {result.basis}" if result.basis else "")


def _changed_verdict(change: Change) -> Text:
    style = _STYLES[change.new.verdict] if change.verdict_changed else ""
    return Text(change.verdict, style=style)


def render(table: Table, width: int, *, color: bool = False) -> list[str]:
    """A table as lines no wider than ``width``."""
    console = _console(width, color=color)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = [log_text(line.rstrip()) for line in console.file.getvalue().splitlines()]
    return "\n".join(lines).strip("\n").splitlines()


def _table_of(columns: Columns, items: Sequence[Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        justify, no_wrap = "left" if name in LEFT else "right", name != "migration"
        table.add_column(name, justify=justify, no_wrap=no_wrap, overflow="fold")  # type: ignore[arg-type]
    for item in items:
        table.add_row(*(cell_text(cell(item)) for cell in columns.values()))
    return table


def _natural_width(table: Table) -> int:
    """The width of a table whose cells are not wrapped."""
    return _console(_NO_END).measure(table).maximum


def cell_text(text: str | Text) -> Text:
    """A cell that is shown as it is: one of type str may contain markup of Rich's."""
    return text if isinstance(text, Text) else Text(visible(text, keep=""))


def _console(width: int, *, color: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=color, no_color=not color)
