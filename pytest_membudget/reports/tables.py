"""Tables in the terminal, drawn by Rich."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_membudget.reports.cells import LEFT, Columns
from pytest_membudget.texts import log_text, visible

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
        table.add_row(*(cell_text(cell(item)) for cell in columns.values()))
    return table


def natural_width(table: Table) -> int:
    """The width of a table whose cells are not wrapped."""
    return _console(_NO_END).measure(table).maximum


def cell_text(text: str | Text) -> Text:
    """A cell that is shown as it is: one of type str may contain markup of Rich's."""
    return text if isinstance(text, Text) else Text(visible(text, keep=""))


def _console(width: int, *, color: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=color, no_color=not color)
