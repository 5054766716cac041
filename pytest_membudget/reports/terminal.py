"""What the terminal shows: the failure of one check, and the table of all of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_membudget.result import Result
from pytest_membudget.units import (
    format_interval,
    format_rows,
    format_seconds,
    format_size,
    round_rows_down,
)

_STYLES = {"within": "green", "exceeds": "red", "inconclusive": "yellow", "error": "red"}
_NOTED_ALWAYS = {"async-code", "broke-at-scale", "rows-untouched", "debug-on", "time-superlinear"}


def failure(result: Result, verbosity: int = 0) -> str:
    """The text of a failure; its first line says everything."""
    lines = [result.reason]
    if result.samples:
        lines += ["", *_samples(result)]
    shown = [
        finding
        for finding in result.findings
        if verbosity > 0 or finding.code in _NOTED_ALWAYS or result.verdict == "inconclusive"
    ]
    lines += [f"note: {finding.message}" for finding in shown]
    if result.details:
        lines += ["", result.details.rstrip()]
    return "\n".join(lines)


def _samples(result: Result) -> list[str]:
    model = next(iter(result.rows))
    table = Table(box=None, pad_edge=False)
    for name in (f"{model} rows", "peak RSS", "time", "outcome"):
        table.add_column(name, justify="left" if name == "outcome" else "right")
    for sample in result.samples:
        table.add_row(
            format_rows(sample.rows[model]),
            format_size(sample.run.peak),
            format_seconds(sample.run.duration),
            sample.run.outcome,
        )
    if result.basis == "projected" and result.peak_bytes is not None:
        table.add_row(
            format_rows(result.rows[model]),
            _peak(result.to_dict()),
            "" if result.projected_duration_s is None else _about(result.projected_duration_s),
            f"projected, {result.growth}",
        )
    return _render(table, 100, color=False)


def summary(results: Sequence[dict[str, Any]], width: int, *, color: bool) -> list[str]:
    """A table of all budgets, as lines no wider than ``width``."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("migration", overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("peak", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("headroom", justify="right")
    table.add_column("fits up to", justify="right")
    table.add_column("verdict")
    for result in results:
        verdict = " ".join(filter(None, (result["verdict"], result["basis"])))
        table.add_row(
            result["migration"] + (" (reverse)" if result["reverse"] else ""),
            format_rows(next(iter(result["rows"].values()))),
            _peak(result),
            format_size(result["limit_bytes"]),
            _headroom(result),
            _fits(result),
            Text(verdict, style=_STYLES[result["verdict"]]),
        )
    return _render(table, width, color=color)


def _peak(result: dict[str, Any]) -> str:
    peak, low, high = (result[f"peak{part}_bytes"] for part in ("", "_low", "_high"))
    if peak is None:
        return "unknown"
    if low is None:
        return f"over {format_size(peak)}" if peak > result["limit_bytes"] else format_size(peak)
    return format_interval(low, peak, high)


def _headroom(result: dict[str, Any]) -> str:
    if result["peak_bytes"] is None:
        return ""
    return f"{1 - result['peak_bytes'] / result['limit_bytes']:+.0%}"


def _fits(result: dict[str, Any]) -> str:
    if result["fits_up_to_rows"] is None:
        return "any" if result["verdict"] == "within" else ""
    return format_rows(round_rows_down(result["fits_up_to_rows"]))


def _about(seconds: float) -> str:
    return f"about {format_seconds(seconds)}"


def _render(table: Table, width: int, *, color: bool) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=color, no_color=not color)
    console.print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]
