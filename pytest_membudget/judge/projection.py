"""From samples to a peak at production's row count, with an interval.  Pure arithmetic.

The ladder doubles, so every sample stands at the same place between two resizes of a dict or a
list and their steps cancel.  What is left of a migration's growth is then told by the slopes
between neighbouring samples: alike is linear, growing is superlinear, vanishing is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_membudget.texts import TextEnum

MIB = 1024**2

# How well peaks repeat from run to run: one that the kernel kept, and, as a share of it, one that
# is the sum over several processes at some instant.
REPEATABILITY = 0.25 * MIB
REPEATABILITY_OF_TREES = 0.02
# And over checks, as a share: their rows are seeded in other steps, and buffers grow in others.
REPEATABILITY_OF_CHECKS = 0.01
# How well slopes do from one stretch to the next, far from any step: keys and strings grow longer.
REPEATABILITY_OF_SLOPES = 0.03
# Page caches, arenas and first chunks fill up below this many rows, whatever the migration does.
FLOOR_ROWS = 12_000
FLOOR_BYTES = 6 * MIB
# Less growth than this is not seen as such, and this much may hide in memory that was free.
VISIBLE = 2 * MIB
HIDDEN = 1 * MIB
# Steps between two samples that are no growth: arenas, the free memory in them, and SQLite's page
# cache, whose 2 MiB a narrow table fills far above the floor.
STEP = 1.5 * MIB
_MAY_BE_HEAPS = 0.5
_LARGEST_IN_HEAP = 32 * MIB
_ALIKE = 0.08
_FLAT = 0.2
_QUADRATIC = 1.5
# Slopes grow so much a doubling with the cube of the rows; what grows faster is a step.
_STEEPEST = 4.0

Point = tuple[float, float]


class Growth(TextEnum):
    """How the peak grows with the rows; ``bounded`` grows until a chunk or a buffer is full."""

    CONSTANT = "constant"
    LINEAR = "linear"
    LINEARITHMIC = "linearithmic"
    QUADRATIC = "quadratic"
    BOUNDED = "bounded"


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
    growth: Growth | None
    measured: bool

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def project(
    points: Sequence[Point], rows: float, noise: float = REPEATABILITY, grain: float = 0
) -> Projection | None:
    """Predict the peak at ``rows`` from ``(rows, peak)`` points on a doubling ladder.

    ``noise`` is how far in bytes a peak may be off when it is measured again, ``grain`` in steps of
    how many rows it may grow.  None with fewer than two points, unless the one there is lies at
    ``rows`` itself.
    """
    points = sorted(points)
    if points and points[-1][0] >= rows:
        peak = points[-1][1]
        spread = max(2 * noise, REPEATABILITY_OF_CHECKS * peak)
        shape = _shape(points, noise, grain)
        return Projection(
            rows,
            peak,
            peak - spread,
            peak + spread,
            shape.slope if shape else 0.0,
            shape.growth if shape else None,
            measured=True,
        )
    shape = _shape(points, noise, grain)
    if shape is None:
        return None
    last_rows, last_peak = points[-1]
    peak, low, high = (last_peak + shape.rise(last_rows, rows, sign) for sign in (0, -1, 1))
    spread = 2 * noise
    slope = shape.rise(last_rows, rows) / (rows - last_rows)
    return Projection(rows, peak, low - spread, high + spread, slope, shape.growth, measured=False)


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
        max(projections, key=lambda one: one.peak),
        low=max(one.low for one in projections),
        high=max(one.high for one in projections),
    )


@dataclass(frozen=True)
class _Shape:
    """How the points grow: ``slope`` bytes a row in the last stretch, times ``ratio`` a doubling.

    ``ratio`` is 1 unless growth is superlinear.  ``slope_error`` and the least and the most that
    the ratio may be come from the back-test: how wrong the stretches before would have been about
    the last one.
    """

    growth: Growth
    slope: float
    slope_error: float
    ratio: float = 1.0
    least_ratio: float = 1.0
    most_ratio: float = 1.0

    def rise(self, start: float, end: float, sign: int = 0) -> float:
        """Growth from ``start`` to ``end`` rows; at its lower or upper bound by ``sign``."""
        slope = max(0.0, self.slope + sign * self.slope_error)
        ratio = (self.ratio, self.most_ratio, self.least_ratio)[sign]
        total = 0.0
        while start < end:
            reach = min(2 * start, end)
            slope *= ratio
            total += slope * (reach - start)
            start = reach
        return total


def _shape(points: Sequence[Point], repeatability: float, grain: float) -> _Shape | None:
    if len(points) < 2:
        return None
    slopes = [max(0.0, (b[1] - a[1]) / (b[0] - a[0])) for a, b in pairwise(points)]
    (start_rows, _), (last_rows, last_peak) = points[-2:]
    # The stretch before is half as long, so a step weighs twice as much in its slope.
    step = max(STEP, 2 * repeatability) / (last_rows - start_rows)
    slope = slopes[-1]
    before = slopes[-2] if len(slopes) > 1 else 2 * slope
    unsettled = REPEATABILITY_OF_SLOPES + _unsettled(last_peak - points[0][1])
    error = max(abs(slope - before), step) + slope * unsettled
    # A stretch may hold one step more or less than its share.
    error = max(error, slope * grain / (last_rows - start_rows))
    if last_peak - points[-3:][0][1] < max(VISIBLE, 4 * repeatability):
        filled = last_peak - points[0][1] > VISIBLE + FLOOR_BYTES
        noise = 2 * repeatability / (last_rows - start_rows)
        hidden = max(slope + noise, HIDDEN / last_rows)
        return _Shape(Growth.BOUNDED if filled else Growth.CONSTANT, 0.0, hidden)
    if slope <= _FLAT * max(slopes):
        return _Shape(Growth.BOUNDED, slope, error)
    above_floor = len(points) > 2 and points[-3][0] >= FLOOR_ROWS / 2
    if start_rows < FLOOR_ROWS:
        error = max(error, FLOOR_BYTES / (last_rows - start_rows))
    if not above_floor or not before:
        return _Shape(Growth.LINEAR, slope, error)
    if before - slope > REPEATABILITY_OF_SLOPES * slope:
        # What makes slopes fall wears off with the rows: halfway from here to as far again.
        half = (before - slope) / 2
        return _Shape(Growth.LINEAR, slope - half, error + half)
    ratio = slope / before
    if slope - before <= max(_ALIKE * slope, 3 * step):
        return _Shape(
            Growth.LINEAR, slope, error, most_ratio=ratio if slope - before > step else 1.0
        )
    ratios = [b / a for a, b in pairwise(slopes) if a > 0]
    drift = max((ratio - 1) / 2, abs(ratio - ratios[-2])) if len(ratios) > 1 else ratio - 1
    if len(ratios) < 2 or ratios[-2] - 1 <= _ALIKE:
        # A step looks like that as well, so the slope may be what it was before.
        return _Shape(
            Growth.LINEAR, slope, slope - before, most_ratio=min(ratio + drift, _STEEPEST)
        )
    return _Shape(
        Growth.QUADRATIC if ratio > _QUADRATIC else Growth.LINEARITHMIC,
        slope,
        step,
        ratio,
        least_ratio=max(1.0, ratio - drift),
        most_ratio=ratio + drift,
    )


def _unsettled(rise: float) -> float:
    """The share of a slope that may be the allocator's, after so much growth.

    glibc moves a growing block from the heap to pages of its own at some size up to 32 MiB, see
    M_MMAP_THRESHOLD in mallopt(3); until then it may copy it, and leave holes behind.
    """
    return _MAY_BE_HEAPS * max(0.0, 1 - rise / _LARGEST_IN_HEAP)


def fits_up_to(
    phases: Sequence[Sequence[Point]], rows: float, limit: float, noise: float = REPEATABILITY
) -> float | None:
    """The largest row count at which every phase is projected to stay under ``limit``.

    None where none is known: nothing is said beyond sixteen times ``rows``, which is production's
    row count, nor for growth that is bounded.
    """
    known = [_phase_fits_up_to(sorted(points), rows, limit, noise) for points in phases]
    return min((one for one in known if one is not None), default=None)


def _phase_fits_up_to(
    points: Sequence[Point], rows: float, limit: float, noise: float
) -> float | None:
    for (rows_a, peak_a), (rows_b, peak_b) in pairwise(points):
        if peak_a < limit <= peak_b:
            return rows_a + (rows_b - rows_a) * (limit - peak_a) / (peak_b - peak_a)
    if points[0][1] >= limit:
        return 0.0
    furthest = 16 * rows
    beyond = project(points, furthest, noise)
    if beyond is None or beyond.peak < limit or beyond.growth in (Growth.CONSTANT, Growth.BOUNDED):
        return None
    low, high = points[-1][0], furthest
    while high - low > max(1.0, low * 1e-4):
        middle = (low + high) / 2
        there = project(points, middle, noise)
        low, high = (middle, high) if there and there.peak < limit else (low, middle)
    return low
