"""From samples to a peak at production's row count, with an interval.  Pure arithmetic.

The ladder doubles, so every sample stands at the same place between two resizes of a dict or a
list and their steps cancel.  What is left of a migration's growth is then told by the slopes
between neighbouring samples: alike is linear, growing is superlinear, vanishing is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MIB = 1024**2

# How well peaks repeat from run to run: one that the kernel kept, and, as a share of it, one that
# is the sum over several processes at some instant.
REPEATABILITY = 0.25 * MIB
REPEATABILITY_OF_TREES = 0.02
# Page caches, arenas and first chunks fill up below this many rows, whatever the migration does.
FLOOR_ROWS = 12_000
FLOOR_BYTES = 6 * MIB
# Less growth than this is not seen as such, and this much may hide in memory that was free.
VISIBLE = 2 * MIB
HIDDEN = 1 * MIB
_ALIKE = 0.08
_FLAT = 0.2
_QUADRATIC = 1.5

CONSTANT, LINEAR, LINEARITHMIC, QUADRATIC, BOUNDED = (
    "constant",
    "linear",
    "linearithmic",
    "quadratic",
    "bounded",
)

Point = tuple[float, float]


@dataclass(frozen=True)
class Projection:
    """What the peak will be at ``rows`` rows: bytes, with the interval ``low`` to ``high``.

    ``slope`` is bytes a row at ``rows``; ``rows`` count what the points count.  ``measured`` says
    that a point lies at ``rows`` itself.
    """

    rows: float
    peak: float
    low: float
    high: float
    slope: float
    growth: str | None
    measured: bool


def project(
    points: Sequence[Point], rows: float, noise: float = REPEATABILITY
) -> Projection | None:
    """Predict the peak at ``rows`` from ``(rows, peak)`` points on a doubling ladder.

    ``noise`` is how far in bytes a peak may be off when it is measured again.  None with fewer
    than two points, unless the one there is lies at ``rows`` itself.
    """
    points = sorted(points)
    if points and points[-1][0] >= rows:
        peak = points[-1][1]
        shape = _shape(points, noise)
        return Projection(
            rows,
            peak,
            peak - noise,
            peak + noise,
            shape.slope if shape else 0.0,
            shape.growth if shape else None,
            measured=True,
        )
    shape = _shape(points, noise)
    if shape is None:
        return None
    last_rows, last_peak = points[-1]
    peak, low, high = (last_peak + shape.rise(last_rows, rows, sign) for sign in (0, -1, 1))
    spread = 2 * noise
    slope = shape.rise(last_rows, rows) / (rows - last_rows)
    return Projection(rows, peak, low - spread, high + spread, slope, shape.growth, measured=False)


@dataclass(frozen=True)
class _Shape:
    """How the points grow: ``slope`` bytes a row in the last stretch, times ``ratio`` a doubling.

    ``ratio`` is 1 unless growth is superlinear.  ``slope_error`` and ``ratio_error`` come from
    the back-test: how wrong the stretches before would have been about the last one.
    """

    growth: str
    slope: float
    slope_error: float
    ratio: float = 1.0
    ratio_error: float = 0.0

    def rise(self, start: float, end: float, sign: int = 0) -> float:
        """Growth from ``start`` to ``end`` rows; at its lower or upper bound by ``sign``."""
        slope = max(0.0, self.slope + sign * self.slope_error)
        ratio = max(1.0, self.ratio + sign * self.ratio_error)
        total = 0.0
        while start < end:
            reach = min(2 * start, end)
            slope *= ratio
            total += slope * (reach - start)
            start = reach
        return total


def _shape(points: Sequence[Point], repeatability: float) -> _Shape | None:
    if len(points) < 2:
        return None
    slopes = [max(0.0, (b[1] - a[1]) / (b[0] - a[0])) for a, b in pairwise(points)]
    (start_rows, _), (last_rows, last_peak) = points[-2:]
    noise = 2 * repeatability / (last_rows - start_rows)
    slope = slopes[-1]
    before = slopes[-2] if len(slopes) > 1 else 2 * slope
    error = max(abs(slope - before), noise)
    if last_peak - points[-3:][0][1] < max(VISIBLE, 4 * repeatability):
        filled = last_peak - points[0][1] > VISIBLE + FLOOR_BYTES
        hidden = max(slope, error, HIDDEN / last_rows)
        return _Shape(BOUNDED if filled else CONSTANT, 0.0, hidden)
    if slope <= _FLAT * max(slopes):
        return _Shape(BOUNDED, slope, error)
    above_floor = len(points) > 2 and points[-3][0] >= FLOOR_ROWS / 2
    if above_floor and slope - before > max(_ALIKE * slope, noise) and before > 0:
        ratios = [b / a for a, b in pairwise(slopes) if a > 0]
        ratio = ratios[-1]
        drift = max((ratio - 1) / 2, abs(ratio - ratios[-2])) if len(ratios) > 1 else ratio - 1
        growth = QUADRATIC if ratio > _QUADRATIC else LINEARITHMIC
        return _Shape(growth, slope, noise, ratio, drift)
    if start_rows < FLOOR_ROWS:
        error = max(error, FLOOR_BYTES / (last_rows - start_rows))
    rising = slope / before - 1 if above_floor and slope - before > noise and before > 0 else 0.0
    return _Shape(LINEAR, slope, error, ratio_error=rising)


def fits_up_to(
    points: Sequence[Point], projection: Projection, limit: float, noise: float = REPEATABILITY
) -> float | None:
    """The largest row count whose projected peak is under ``limit``; None where none is known.

    Nothing is said beyond sixteen times production's row count, nor for growth that is bounded.
    """
    points = sorted(points)
    for (rows_a, peak_a), (rows_b, peak_b) in pairwise(points):
        if peak_a < limit <= peak_b:
            return rows_a + (rows_b - rows_a) * (limit - peak_a) / (peak_b - peak_a)
    if points[0][1] >= limit:
        return 0.0
    furthest = 16 * projection.rows
    beyond = project(points, furthest, noise)
    if beyond is None or beyond.peak < limit or projection.growth in (CONSTANT, BOUNDED):
        return None
    low, high = points[-1][0], furthest
    while high - low > max(1.0, low * 1e-4):
        middle = (low + high) / 2
        there = project(points, middle, noise)
        low, high = (middle, high) if there and there.peak < limit else (low, middle)
    return low
