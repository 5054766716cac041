"""The growth curve in characters.  The only place that knows plotille."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import Any

from pytest_membudget.reports.cells import counted
from pytest_membudget.reports.curve import Curve, Point, curve, rows_step, short_rows, size_step
from pytest_membudget.units import format_rows, format_size

_HEIGHT = 9
# What plotille puts around its canvas: ticks of ten characters, and the name of the axis.
_AROUND = 23
_LEAST_CANVAS = 20
_FINISHED = "finished"
_NO_DOTS = "\u2800"


def chart(result: dict[str, Any], width: int, *, unicode: bool = True) -> list[str]:
    """Peak over rows in a dozen lines no wider than ``width``; none where there is no curve.

    Lines are of Braille dots, or of ASCII where the terminal knows no others.
    """
    known = curve(result)
    if known is None or width < _AROUND + _LEAST_CANVAS:
        return []
    return [*_draw(result, known, width - _AROUND, unicode), *_legend(result, known, width)]


def _draw(result: dict[str, Any], known: Curve, width: int, unicode: bool) -> list[str]:
    import plotille

    limit = float(result["limit_bytes"])
    step = size_step(1.05 * max(known.most_bytes, limit), _HEIGHT)
    height = int(1.05 * max(known.most_bytes, limit) / step) + 1
    ticks = width / 10
    most_rows = rows_step(known.most_rows * 1.02, ticks) * ticks

    figure = plotille.Figure()
    figure.width, figure.height = width, height
    figure.with_colors = figure.origin = False
    figure.set_x_limits(0, most_rows)
    figure.set_y_limits(0, height * step)
    figure.x_label, figure.y_label = "rows", "peak"
    figure.x_ticks_fkt = lambda low, _: short_rows(low)
    figure.y_ticks_fkt = lambda low, _: format_size(low) if low else "0"

    def dots(points: list[Point], character: str) -> None:
        figure.scatter(
            [rows for rows, _ in points],
            [size for _, size in points],
            marker=None if unicode else character,
        )

    every = most_rows / (width * 2)
    dots([(every * number, limit) for number in range(width * 2)], "-")
    dots(_between(known.projection, width * 2), ".")
    for (rows, size), sample in zip(known.samples, result["samples"], strict=True):
        figure.scatter([rows], [size], marker="o" if sample["outcome"] == _FINISHED else "*")
    if known.projection:
        rows, peak = known.projection[-1]
        low, high = known.low[-1][1], known.high[-1][1]
        interval = [low + (high - low) * part / height for part in range(height + 1)]
        figure.scatter([rows] * len(interval), interval, marker="|")
        figure.scatter([rows], [peak], marker="x")
    label = f" limit {format_size(limit)} "
    label_rows = most_rows * len(label) / width
    figure.text([_free(result, known.most_rows, label_rows)], [limit], [label])
    lines = [line.replace(_NO_DOTS, " ").rstrip() for line in figure.show().splitlines()]
    spare = min(len(line) - len(line.lstrip()) for line in lines[:-2])
    return [line[spare:] for line in lines]


def _free(result: dict[str, Any], most_rows: float, label_rows: float) -> float:
    """Where on the limit's line its name is out of the curve's way: at the right, or the left."""
    crossing = result["fits_up_to_rows"] or 0
    right = max(0.0, 0.96 * most_rows - label_rows)
    return right if crossing < 0.9 * right else 0.1 * most_rows


def _between(points: list[Point], count: int) -> list[Point]:
    """Some ``count`` points on the way, at equal distances of rows."""
    dense: list[Point] = []
    for (rows, size), (next_rows, next_size) in pairwise(points):
        number = max(1, count // len(points))
        dense += [
            (rows + (next_rows - rows) * i / number, size + (next_size - size) * i / number)
            for i in range(number)
        ]
    return dense


def _legend(result: dict[str, Any], known: Curve, width: int) -> list[str]:
    _, rows = counted(result)
    stopped = {one["outcome"]: f"* {one['outcome']}" for one in result["samples"]}
    parts = ["o sample", *(text for outcome, text in stopped.items() if outcome != _FINISHED)]
    if known.projection:
        parts.append(f"x projected and its interval, with {format_rows(rows)} rows")
    text = "   ".join(parts)
    return [text] if len(text) <= width else [line for part in parts for line in wrap(part, width)]
