"""Tables in the terminal, drawn by Rich: of any columns, of samples and of growth by line."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pytest_membudget.judge.explanation import Line
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Basis
from pytest_membudget.reports import cells
from pytest_membudget.reports.columns import LEFT, Columns
from pytest_membudget.texts import log_text, visible
from pytest_membudget.units import format_rows, format_seconds, format_size

_NO_END = 10_000


def render(table: Table, width: int, *, color: bool = False) -> list[str]:
    """A table as lines no wider than ``width``."""
    console = _console(width, color=color)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = [log_text(line.rstrip()) for line in console.file.getvalue().splitlines()]
    return "\n".join(lines).strip("\n").splitlines()


def table_of(columns: Columns, items: Sequence[Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        justify, no_wrap = "left" if name in LEFT else "right", name != "migration"
        table.add_column(name, justify=justify, no_wrap=no_wrap, overflow="fold")  # type: ignore[arg-type]
    for item in items:
        table.add_row(*(_text(cell(item)) for cell in columns.values()))
    return table


def natural_width(table: Table) -> int:
    """The width of a table whose cells are not wrapped."""
    return _console(_NO_END).measure(table).maximum


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


def _text(text: str | Text) -> Text:
    """A cell that is shown as it is: one of type str may contain markup of Rich's."""
    return text if isinstance(text, Text) else Text(visible(text, keep=""))


def _console(width: int, *, color: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=color, no_color=not color)
