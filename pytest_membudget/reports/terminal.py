"""What the terminal shows: the failure of one check, and the table of all of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
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
_WIDE, _NARROW = 120, 70
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
    """A table of all budgets, as lines no wider than ``width``; a narrow one has fewer columns."""
    columns: dict[str, Callable[[dict[str, Any]], str | Text]] = {
        "migration": _migration,
        "rows": lambda result: format_rows(next(iter(result["rows"].values()))),
        "peak": _peak if width >= _WIDE else _short_peak,
        "limit": lambda result: format_size(result["limit_bytes"]),
        "headroom": _headroom,
        "fits up to": _fits,
        "verdict": _verdict if width >= _WIDE else _short_verdict,
    }
    if width < _WIDE:
        del columns["headroom"]
    if width < _NARROW:
        del columns["fits up to"], columns["rows"]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        left = name in ("migration", "verdict")
        table.add_column(
            name,
            justify="left" if left else "right",
            no_wrap=name != "migration",
            overflow="fold",
        )
    for result in results:
        table.add_row(*(cell(result) for cell in columns.values()))
    return _render(table, width, color=color)


def notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """What the reader of the table has to know, of budgets that pass as well."""
    return [
        f"{_migration(result)}: {finding['message']}"
        for result in results
        for finding in result["findings"]
        if finding["code"] in _NOTED_ALWAYS
    ]


def _migration(result: dict[str, Any]) -> str:
    return str(result["migration"]) + (" (reverse)" if result["reverse"] else "")


def _verdict(result: dict[str, Any]) -> Text:
    basis = f", {result['basis']}" if result["basis"] else ""
    return _short_verdict(result) + basis


def _short_verdict(result: dict[str, Any]) -> Text:
    return Text(result["verdict"], style=_STYLES[result["verdict"]])


def _short_peak(result: dict[str, Any]) -> str:
    if result["peak_low_bytes"] is None:
        return _peak(result)
    about = "" if result["basis"] == "measured" else "~"
    return about + format_size(result["peak_bytes"])


def _peak(result: dict[str, Any]) -> str:
    peak, low, high = (result[f"peak{part}_bytes"] for part in ("", "_low", "_high"))
    if peak is None:
        return ""
    if low is None:
        return f"over {format_size(peak)}" if peak > result["limit_bytes"] else format_size(peak)
    return format_interval(low, peak, high)


def _headroom(result: dict[str, Any]) -> str:
    if result["peak_bytes"] is None:
        return ""
    left = result["limit_bytes"] - result["peak_bytes"]
    return f"{'-' if left < 0 else ''}{format_size(abs(left))}"


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
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines).strip("\n").splitlines()
