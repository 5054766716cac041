"""The growth curve of a result and its memory over time, as the charts draw them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.result import Result, SampleFigures
from pytest_membudget.reports.cells import counted, sample_rows
from pytest_membudget.sample import Outcome
from pytest_membudget.units import format_rows

Point = tuple[float, float]

_STEPS = 24
_TICKS = 8
# A limit that is so far above what a chart shows would leave no room for the rest of it.
_FAR = 2.5
_ROW_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Curve:
    """``(rows, bytes)`` points; rows count the first model of the result's ``rows``.

    ``projection``, ``low`` and ``high`` lead from the last sample to production's row count, and
    are empty where nothing was projected.
    """

    samples: list[Point]
    projection: list[Point]
    low: list[Point]
    high: list[Point]

    @property
    def most_rows(self) -> float:
        return max(rows for rows, _ in [*self.samples, *self.projection])

    @property
    def most_bytes(self) -> float:
        return max(size for _, size in [*self.samples, *self.projection, *self.high])


def curve(result: Result) -> Curve | None:
    """The curve of a result; None where fewer than two points are known."""
    _, rows = counted(result)
    if not (rows and result.samples):
        return None
    samples = [(float(sample_rows(result, one)), float(one.peak_bytes)) for one in result.samples]
    finished = [one for one in result.samples if one.outcome == Outcome.FINISHED]
    start = samples[len(finished) - 1 if finished else -1]
    peak, low, high = result.peak_bytes, result.peak_low_bytes, result.peak_high_bytes
    if peak is None or low is None or high is None or start[0] >= float(rows):
        return Curve(samples, [], [], []) if len(samples) > 1 and max(samples)[0] else None
    ends = ((float(rows), float(end)) for end in (peak, low, high))
    paths = [_path(start, end, result.growth) for end in ends]
    return Curve(samples, *paths)


def _path(start: Point, end: Point, growth: Growth | None) -> list[Point]:
    """From one point to the other, bent as the growth is."""

    def shape(rows: float) -> float:
        if growth == Growth.QUADRATIC:
            return rows**2
        return rows * math.log2(rows + 1) if growth == Growth.LINEARITHMIC else rows

    between = [start[0] + (end[0] - start[0]) * step / _STEPS for step in range(_STEPS + 1)]
    span = shape(end[0]) - shape(start[0]) or 1.0  # floats may be too coarse to tell them apart
    return [
        (rows, start[1] + (end[1] - start[1]) * (shape(rows) - shape(start[0])) / span)
        for rows in between
    ]


def size_axis(most: float, count: int) -> tuple[int, int]:
    """Ticks that reach ``most``: their distance, a power of two in bytes, and their number."""
    step = 1024
    while step * count < most:
        step *= 2
    return step, int(most / step) + 1


def rows_step(most: float, count: float) -> float:
    """A round distance of ticks in rows, so that ``count`` of them reach ``most``."""
    ten = 10.0 ** math.floor(math.log10(most / count))
    return next(ten * one for one in _ROW_STEPS if ten * one * count >= most * (1 - 1e-9))


def short_rows(rows: float) -> str:
    """``"250k"``, ``"1.2M"``: a row count that fits below a tick."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rows >= factor:
            return f"{rows / factor:.4g}{unit}"
    return f"{rows:.4g}"


def charts(result: Result) -> dict[str, Any]:
    """Growth curve and memory over time, or None; points are rows or seconds, and bytes."""
    return {"growth": _growth(result), "time": _time(result)}


def _growth(result: Result) -> dict[str, Any] | None:
    known = curve(result)
    if known is None:
        return None
    model, rows = counted(result)
    step, count = size_axis(1.05 * max(known.most_bytes, result.limit_bytes), _TICKS)
    return {
        "model": model,
        "rows": rows,
        "limit": result.limit_bytes,
        "samples": [
            {**point, "outcome": sample.outcome, "seconds": sample.duration_s}
            for point, sample in zip(_points(known.samples), result.samples, strict=True)
        ],
        "projection": _points(known.projection),
        "low": _points(known.low),
        "high": _points(known.high),
        "most": {"x": known.most_rows, "y": step * count},
        "step": step,
    }


def _time(result: Result) -> dict[str, Any] | None:
    timelines = [
        {"label": f"{format_rows(sample_rows(result, one))} rows", "points": _timeline(one)}
        for one in result.samples
        if len(one.timeline) > 1
    ]
    if not timelines:
        return None
    points = [point for sample in result.samples for point in _timeline(sample)]
    most = max(point["y"] for point in points)
    limit = result.limit_bytes if result.limit_bytes < _FAR * most else None
    step, count = size_axis(1.05 * max(most, limit or 0), _TICKS)
    return {
        "timelines": timelines,
        "limit": limit,
        "most": {"x": max(point["x"] for point in points), "y": step * count},
        "step": step,
    }


def _points(points: list[Point]) -> list[dict[str, float]]:
    return [{"x": round(rows), "y": round(size)} for rows, size in points]


def _timeline(sample: SampleFigures) -> list[dict[str, float]]:
    points = [{"x": seconds, "y": size} for seconds, size in sample.timeline]
    # The kernel takes the memory back before the process has gone from its list.
    while len(points) > 1 and points[-1]["y"] < 0.75 * points[-2]["y"]:
        points.pop()
    return points
