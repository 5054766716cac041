"""The growth curve in characters.  The only place that knows plotille."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from textwrap import wrap

from pytest_membudget.judge.result import Result
from pytest_membudget.reports.cells import counted
from pytest_membudget.reports.curve import Curve, Point, curve, rows_step, short_rows, size_axis
from pytest_membudget.sample import Outcome
from pytest_membudget.units import format_rows, format_size

_HEIGHT = 9
# What plotille puts around its canvas: ticks of ten characters, and the name of the axis.
_AROUND = 23
_LEAST_CANVAS = 20
_NO_DOTS = "\u2800"


def chart(result: Result, width: int, *, unicode: bool = True) -> list[str]:
    """Peak over rows in a dozen lines of Braille dots or ASCII; none where there is no curve."""
    known = curve(result)
    if known is None or width < _AROUND + _LEAST_CANVAS:
        return []
    return [*_draw(result, known, width - _AROUND, unicode), *_legend(result, known, width)]


def _draw(result: Result, known: Curve, width: int, unicode: bool) -> list[str]:
    import plotille

    limit = float(result.limit_bytes)
    ticks = width / 10
    most_rows = rows_step(known.most_rows * 1.02, ticks) * ticks
    step, height = size_axis(1.05 * max(known.most_bytes, limit), _HEIGHT)
    figure = plotille.Figure()
    figure.width, figure.height = width, height
    figure.with_colors = figure.origin = False
    figure.set_x_limits(0, most_rows)
    figure.set_y_limits(0, height * step)
    figure.x_label, figure.y_label = "rows", "peak"
    figure.x_ticks_fkt = lambda low, _: short_rows(low)
    figure.y_ticks_fkt = lambda low, _: format_size(low) if low else "0"

    def mark(points: Sequence[Point], character: str | None) -> None:
        rows, sizes = zip(*points, strict=True)
        figure.scatter(rows, sizes, marker=character)

    mark(_between([(0.0, limit), (most_rows, limit)], width * 4), None if unicode else "-")
    if known.projection:
        mark(_between(known.projection, width * 2), None if unicode else ".")
    for point, sample in zip(known.samples, result.samples, strict=True):
        mark([point], "o" if sample.outcome == Outcome.FINISHED else "*")
    if known.projection:
        mark(_between([known.low[-1], known.high[-1]], 2 * _HEIGHT), "|")
        mark([known.projection[-1]], "x")
    label = f" limit {format_size(limit)} "
    # Out of the curve's way: at the right, or the left.
    right = max(0.0, 0.96 * known.most_rows - most_rows * len(label) / width)
    start = right if (result.fits_up_to_rows or 0) < 0.9 * right else 0.1 * known.most_rows
    figure.text([start], [limit], [label])
    lines = [line.replace(_NO_DOTS, " ").rstrip() for line in figure.show().splitlines()]
    spare = min(len(line) - len(line.lstrip()) for line in lines[:-2])
    return [line[spare:] for line in lines]


def _between(points: list[Point], count: int) -> list[Point]:
    """Some ``count`` points on the way, at equal distances, from the first one to the last."""
    dense: list[Point] = []
    for (rows, size), (next_rows, next_size) in pairwise(points):
        number = max(1, count // len(points))
        dense += [
            (rows + (next_rows - rows) * i / number, size + (next_size - size) * i / number)
            for i in range(number)
        ]
    return [*dense, points[-1]]


def _legend(result: Result, known: Curve, width: int) -> list[str]:
    _, rows = counted(result)
    outcomes = dict.fromkeys(one.outcome for one in result.samples)
    parts = ["o sample", *(f"* {one}" for one in outcomes if one != Outcome.FINISHED)]
    if known.projection:
        parts.append(f"x projection and its interval at {format_rows(rows)} rows")
    text = "   ".join(parts)
    return [text] if len(text) <= width else [line for part in parts for line in wrap(part, width)]
