"""What the charts of the HTML page show, as plain values for its script."""

from __future__ import annotations

from typing import Any

from pytest_membudget.judge.result import Result, SampleFigures
from pytest_membudget.reports import cells
from pytest_membudget.reports.curve import Point, curve, size_axis
from pytest_membudget.units import format_rows

_TICKS = 8
# A limit that is so far above what a chart shows would leave no room for the rest of it.
_FAR = 2.5


def charts(result: Result) -> dict[str, Any]:
    """The growth curve and the memory over time of a result; None where there is nothing to draw.

    Points are ``{"x": rows or seconds, "y": bytes}``.
    """
    return {"growth": _growth(result), "time": _time(result)}


def _growth(result: Result) -> dict[str, Any] | None:
    known = curve(result)
    if known is None:
        return None
    model, rows = cells.counted(result)
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
        {
            "label": f"{format_rows(cells.sample_rows(result, sample))} rows",
            "points": _timeline(sample),
        }
        for sample in result.samples
        if len(sample.timeline) > 1
    ]
    if not timelines:
        return None
    points = [point for sample in result.samples for point in _timeline(sample)]
    most = max(point["y"] for point in points)
    limit = result.limit_bytes
    shows_limit = limit < _FAR * most
    step, count = size_axis(1.05 * max(most, limit if shows_limit else 0), _TICKS)
    return {
        "timelines": timelines,
        "limit": limit if shows_limit else None,
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
