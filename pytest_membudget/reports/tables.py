"""Tables of the terminal: samples, growth by line, all budgets, two runs beside each other."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pytest_membudget.judge.explanation import Line
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.compare import Change
from pytest_membudget.texts import log_text, visible
from pytest_membudget.units import format_rows, format_seconds, format_size

_STYLES = {
    Verdict.WITHIN: "green",
    Verdict.EXCEEDS: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "red",
}
_WIDE, _NO_END = 120, 10_000

_Columns = dict[str, Callable[[Any], str | Text]]


def render(table: Table, width: int, *, color: bool = False) -> list[str]:
    """A table as lines no wider than ``width``."""
    console = _console(width, color=color)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = [log_text(line.rstrip()) for line in console.file.getvalue().splitlines()]
    return "\n".join(lines).strip("\n").splitlines()


def samples_table(result: Result) -> Table:
    """The samples of a result, and what was projected from them."""
    model, rows = cells.counted(result)
    table = Table(box=None, pad_edge=False)
    for name in (f"{model} rows".strip(), "peak RSS", "time", "outcome"):
        table.add_column(_text(name), justify="left" if name == "outcome" else "right")
    for sample in result.samples:
        table.add_row(
            format_rows(cells.sample_rows(result, sample)),
            format_size(sample.peak_bytes),
            format_seconds(sample.duration_s),
            _text(sample.outcome),
        )
    if result.basis == Basis.PROJECTED and result.peak_bytes is not None:
        seconds = result.projected_duration_s
        table.add_row(
            format_rows(rows),
            cells.peak(result),
            "" if seconds is None else f"about {format_seconds(seconds)}",
            f"projected, {result.growth}",
        )
    return table


def attribution_table(lines: Sequence[Line], *, frames: bool) -> Table:
    """Growth by line, largest first; with ``frames`` where in a library it happens as well."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        source, via = line.source, line.via if frames else None
        where = [_text(f"{cells.place(line)} {line.function if frames or not source else ''}")]
        where += [_text(source)] if source else []
        where += [_text(f"in {cells.frame(via)}")] if via else []
        below = [Padding(text, (0, 0, 0, 2)) for text in where[1:]]
        table.add_row(f"{line.bytes_per_row:,} B/row", f"{line.share:.0%}", Group(where[0], *below))
    return table


def summary_table(results: Sequence[Result], width: int) -> Table:
    """A table of all budgets; a narrow one has shorter cells and fewer columns."""
    if width >= _WIDE:
        table = _table(_summary_columns(results, wide=True), results)
        if _natural_width(table) <= width:
            return table
    columns = _summary_columns(results, wide=False)
    return _fitting(columns, results, width, spared=("rows", "headroom", "fits up to"))


def _summary_columns(results: Sequence[Result], *, wide: bool) -> _Columns:
    columns: _Columns = {
        "migration": cells.migration,
        "database": cells.vendor,
        "rows": cells.rows,
        "peak": cells.peak if wide else cells.short_peak,
        "limit": cells.limit,
        "headroom": cells.headroom,
        "fits up to": cells.fits,
        "verdict": _verdict_with_basis if wide else _verdict,
    }
    if not cells.several_vendors(results):
        del columns["database"]
    return columns


def comparison_table(changes: Sequence[Change], width: int) -> Table:
    """What became of each budget; a narrow one has fewer columns."""
    columns: _Columns = {
        "migration": lambda change: change.name,
        "database": lambda change: change.vendor,
        "before": lambda change: change.before,
        "after": lambda change: change.after,
        "difference": lambda change: change.difference,
        "bytes a row": lambda change: change.bytes_per_row,
        "verdict": _changed_verdict,
    }
    if len({change.vendor for change in changes}) < 2:
        del columns["database"]
    return _fitting(columns, changes, width, spared=("bytes a row", "before", "difference"))


def _fitting(columns: _Columns, items: Sequence[Any], width: int, spared: Sequence[str]) -> Table:
    """The table of as many columns as there is room for; those of ``spared`` go first."""
    table = _table(columns, items)
    for name in spared:
        if _natural_width(table) <= width:
            break
        columns = {title: cell for title, cell in columns.items() if title != name}
        table = _table(columns, items)
    return table


def _table(columns: _Columns, items: Sequence[Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(
            name,
            justify="left" if name in ("migration", "database", "verdict") else "right",
            no_wrap=name != "migration",
            overflow="fold",
        )
    for item in items:
        table.add_row(*(_text(cell(item)) for cell in columns.values()))
    return table


def _text(text: str | Text) -> Text:
    """A cell that is shown as it is: one of type str may contain markup of Rich's."""
    return text if isinstance(text, Text) else Text(visible(text, keep=""))


def _natural_width(table: Table) -> int:
    return _console(_NO_END).measure(table).maximum


def _verdict(result: Result) -> Text:
    return Text(result.verdict, style=_STYLES[result.verdict])


def _verdict_with_basis(result: Result) -> Text:
    basis = f", {result.basis}" if result.basis else ""
    return _verdict(result) + basis


def _changed_verdict(change: Change) -> Text:
    return Text(change.verdict, style=_STYLES[change.worst] if change.verdict_changed else "")


def _console(width: int, *, color: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=color, no_color=not color)
