"""From samples to a figure at production's row count, with an interval.  Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_membudget.judge.growth_fit import (
    BYTES,
    REPEATABILITY,
    Growth,
    Point,
    Scale,
    fit_growth,
)

# How many times production's rows are looked at to say how many fit.
FURTHEST = 16


@dataclass(frozen=True)
class Projection:
    """What a figure will be at some row count: its ``value``, from ``low`` to ``high``.

    A peak is bytes, a duration seconds; ``slope`` is so much a row there.  ``measured`` says that a
    sample had as many rows.
    """

    value: float
    low: float
    high: float
    slope: float
    growth: Growth | None
    measured: bool

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def project(
    points: Sequence[Point],
    rows: float,
    noise: float = REPEATABILITY,
    grain: float = 0,
    scale: Scale = BYTES,
) -> Projection | None:
    """Predict the figure at ``rows`` from ``(rows, figure)`` points on a doubling ladder.

    ``noise`` is how far a figure may be off when it is measured again, ``grain`` in steps of
    how many rows it may grow.  None with fewer than two points, unless the one there is lies at
    ``rows`` itself.
    """
    points = sorted(points)
    fit = fit_growth(points, noise, grain, scale)
    if points and points[-1][0] >= rows:
        peak = points[-1][1]
        spread = max(2 * noise, scale.checks * peak)
        slope, growth = (fit.slope, fit.growth) if fit else (0.0, None)
        return Projection(peak, peak - spread, peak + spread, slope, growth, measured=True)
    if fit is None:
        return None
    last_rows, last_peak = points[-1]
    peak, low, high = (last_peak + fit.rise(last_rows, rows, sign) for sign in (0, -1, 1))
    slope = fit.rise(last_rows, rows) / (rows - last_rows)
    return Projection(peak, low - 2 * noise, high + 2 * noise, slope, fit.growth, measured=False)


def project_highest(
    phases: Sequence[Sequence[Point]],
    rows: float,
    noise: float = REPEATABILITY,
    grain: float = 0,
) -> Projection | None:
    """Predict the peak of a run from the points of each of its phases: the highest decides.

    The phase that is highest at ``rows`` need not be the highest of any sample.
    """
    found = (project(points, rows, noise, grain) for points in phases)
    projections = [one for one in found if one is not None]
    if not projections:
        return None
    return replace(
        max(projections, key=lambda one: one.value),
        low=max(one.low for one in projections),
        high=max(one.high for one in projections),
    )


def fits_up_to(
    phases: Sequence[Sequence[Point]],
    rows: float,
    limit: float,
    noise: float = REPEATABILITY,
    scale: Scale = BYTES,
) -> float | None:
    """The largest row count at which every phase is projected to stay under ``limit``.

    None where none is known: nothing is said beyond FURTHEST times ``rows``, which is production's
    row count, nor for growth that is bounded.
    """
    known = [_phase_fits_up_to(sorted(one), rows, limit, noise, scale) for one in phases]
    return min((one for one in known if one is not None), default=None)


def _phase_fits_up_to(
    points: Sequence[Point], rows: float, limit: float, noise: float, scale: Scale
) -> float | None:
    for (rows_a, peak_a), (rows_b, peak_b) in pairwise(points):
        if peak_a < limit <= peak_b:
            return rows_a + (rows_b - rows_a) * (limit - peak_a) / (peak_b - peak_a)
    if points[0][1] >= limit:
        return 0.0
    furthest = FURTHEST * rows
    beyond = project(points, furthest, noise, scale=scale)
    if beyond is None or beyond.value < limit or beyond.growth in (Growth.CONSTANT, Growth.BOUNDED):
        return None
    low, high = points[-1][0], furthest
    while high - low > max(1.0, low * 1e-4):
        middle = (low + high) / 2
        there = project(points, middle, noise, scale=scale)
        low, high = (middle, high) if there and there.value < limit else (low, middle)
    return low
