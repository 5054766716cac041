"""The text of a failed check: its first line says everything, the rest why and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table

from pytest_membudget.judge.explanation import Line
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Basis
from pytest_membudget.reports import cells
from pytest_membudget.reports.chart import chart
from pytest_membudget.reports.noted import noted
from pytest_membudget.reports.terminal import cell_text, render
from pytest_membudget.texts import log_text, visible
from pytest_membudget.units import format_rows, format_seconds, format_size

_CHART_WIDTH, _TEXT_WIDTH = 72, 100
_TOP_LINES = 5


def failure(result: Result, *, width: int = 80, verbosity: int = 0, unicode: bool = True) -> str:
    """A failure, no wider than ``width`` but for its first line; ``verbosity`` adds details."""
    width, everything = min(width, _TEXT_WIDTH), verbosity > 0
    advice = []
    for one in result.advice:
        advice += [f"advice: {one.message}", f"  {cells.support(one)}"]
    notes = noted(result, everything=everything or result.inconclusive)
    parts = [
        [result.reason],
        chart(result, min(width, _CHART_WIDTH), unicode=unicode),
        render(_samples_table(result), width) if everything and result.samples else [],
        _growth(result, width, everything=everything),
        _wrapped(advice, width),
        _wrapped([f"note: {text}" for text in (*cells.limit_place(result), *notes)], width),
        result.details.rstrip().splitlines(),
    ]
    text = "\n\n".join("\n".join(lines) for lines in parts if lines)
    return log_text(visible(text))


def _samples_table(result: Result) -> Table:
    """The samples of a result, and what was projected from them."""
    model, rows = cells.counted(result)
    table = Table(box=None, pad_edge=False)
    server = any(sample.server_peak_bytes is not None for sample in result.samples)
    names = ("peak RSS", "server", "time", "outcome") if server else ("peak RSS", "time", "outcome")
    for name in (f"{model} rows".strip(), *names):
        table.add_column(cell_text(name), justify="left" if name == "outcome" else "right")
    for sample in result.samples:
        table.add_row(
            format_rows(cells.sample_rows(result, sample)),
            format_size(sample.peak_bytes),
            *([format_size(sample.server_peak_bytes or 0)] if server else []),
            format_seconds(sample.duration_s),
            cell_text(sample.outcome),
        )
    if result.basis == Basis.PROJECTED and result.peak_bytes is not None:
        end = [cells.duration(result), f"projected, {result.growth}"]
        table.add_row(
            format_rows(rows),
            cells.peak(result),
            *([cells.server_peak(result)] if server else []),
            *end,
        )
    return table


def _lines_table(lines: Sequence[Line], *, frames: bool) -> Table:
    """Growth by line, largest first; with ``frames`` where in a library it happens as well."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        source, via = line.source, line.via if frames else None
        where = [cell_text(f"{cells.place(line)} {line.function if frames or not source else ''}")]
        where += [cell_text(source)] if source else []
        where += [cell_text(f"in {cells.frame(via)}")] if via else []
        below = [Padding(text, (0, 0, 0, 2)) for text in where[1:]]
        table.add_row(f"{line.bytes_per_row:,} B/row", f"{line.share:.0%}", Group(where[0], *below))
    return table


def _growth(result: Result, width: int, *, everything: bool) -> list[str]:
    note = result.attribution_note
    if not result.attribution:
        return _wrapped([f"growth by line: {note}"], width) if note else []
    lines = result.attribution if everything else cells.by_line(result.attribution)
    shown = lines if everything else lines[:_TOP_LINES]
    table = render(_lines_table(shown, frames=everything), width)
    left = len(lines) - len(shown)
    more = [f"and {left} more with -v"] if left else []
    return ["growth by line", *table, *more, *(_wrapped([note], width) if note else [])]


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [line for text in texts for line in wrapper.wrap(text)]
