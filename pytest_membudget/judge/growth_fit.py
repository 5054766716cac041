"""How a figure grows with the rows: the slopes between neighbouring samples tell.

The ladder doubles, so every sample stands at the same place between two resizes of a dict or a
list and their steps cancel.  Slopes that are alike are linear growth, growing ones are superlinear,
vanishing ones bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_membudget.texts import TextEnum
from pytest_membudget.units import MIB

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


@dataclass(frozen=True)
class Scale:
    """How figures of a kind grow and repeat, in their unit; the defaults are those of seconds.

    ``slopes`` is how well slopes repeat, as a share.  ``floor`` fills up below ``floor_rows``,
    ``step``, ``visible``, ``hidden`` and ``heap`` are as STEP, VISIBLE, HIDDEN and
    _LARGEST_IN_HEAP.  ``is_rough`` says that the slope of a single stretch is mostly noise, so that
    of linear growth is taken from all of them.
    """

    slopes: float
    step: float = 0
    visible: float = 0
    hidden: float = 0
    floor: float = 0
    floor_rows: float = 0
    heap: float = 0
    checks: float = 0
    is_rough: bool = False


BYTES = Scale(
    REPEATABILITY_OF_SLOPES,
    STEP,
    VISIBLE,
    HIDDEN,
    FLOOR_BYTES,
    FLOOR_ROWS,
    _LARGEST_IN_HEAP,
    REPEATABILITY_OF_CHECKS,
)
# Of the 483 projections from kept curves, over 4 to 64 times as many rows.
SECONDS = Scale(slopes=0.15, is_rough=True)


class Growth(TextEnum):
    """How the peak grows with the rows; ``bounded`` grows until a chunk or a buffer is full."""

    CONSTANT = "constant"
    LINEAR = "linear"
    LINEARITHMIC = "linearithmic"
    QUADRATIC = "quadratic"
    BOUNDED = "bounded"


@dataclass(frozen=True)
class GrowthFit:
    """How the points grow: by ``slope`` a row in the last stretch, times ``ratio`` a doubling.

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


def fit_growth(
    points: Sequence[Point], noise: float, grain: float, scale: Scale = BYTES
) -> GrowthFit | None:
    """None with fewer than two points; ``noise`` and ``grain`` are those of project()."""
    if len(points) < 2:
        return None
    slopes = [max(0.0, (b[1] - a[1]) / (b[0] - a[0])) for a, b in pairwise(points)]
    (first_rows, first_peak), (start_rows, _), (last_rows, last_peak) = points[0], *points[-2:]
    # The stretch before is half as long, so a step adds twice as much to its slope.
    step = max(scale.step, 2 * noise) / (last_rows - start_rows)
    slope = slopes[-1]
    before = slopes[-2] if len(slopes) > 1 else 2 * slope
    unsettled = scale.slopes + _unsettled(last_peak - first_peak, scale.heap)
    error = max(abs(slope - before), step) + slope * unsettled
    # A stretch may hold one step more or less than its share.
    error = max(error, slope * grain / (last_rows - start_rows))
    if last_peak - points[-3:][0][1] < max(scale.visible, 4 * noise):
        filled = last_peak - first_peak > scale.visible + scale.floor
        hidden = max(slope + 2 * noise / (last_rows - start_rows), scale.hidden / last_rows)
        return GrowthFit(Growth.BOUNDED if filled else Growth.CONSTANT, 0.0, hidden)
    if slope <= _FLAT * max(slopes) and not scale.is_rough:
        return GrowthFit(Growth.BOUNDED, slope, error)
    overall = slope
    if scale.is_rough:
        overall = max(0.0, (last_peak - first_peak) / (last_rows - first_rows))
        error += abs(overall - slope)
    above_floor = len(points) > 2 and points[-3][0] >= scale.floor_rows / 2
    if start_rows < scale.floor_rows:
        error = max(error, scale.floor / (last_rows - start_rows))
    if not above_floor or not before:
        return GrowthFit(Growth.LINEAR, overall, error)
    if before - slope > scale.slopes * slope and not scale.is_rough:
        # What makes slopes fall wears off with the rows: halfway from here to as far again.
        half = (before - slope) / 2
        return GrowthFit(Growth.LINEAR, slope - half, error + half)
    ratio = slope / before
    if slope - before <= max(_ALIKE * slope, 3 * step):
        return GrowthFit(
            Growth.LINEAR, overall, error, most_ratio=ratio if slope - before > step else 1.0
        )
    ratios = [b / a for a, b in pairwise(slopes) if a > 0]
    drift = max((ratio - 1) / 2, abs(ratio - ratios[-2])) if len(ratios) > 1 else ratio - 1
    if len(ratios) < 2 or ratios[-2] - 1 <= _ALIKE:
        # A step looks like that as well, so the slope may be what it was before.
        error = slope - before + abs(overall - slope)
        return GrowthFit(Growth.LINEAR, overall, error, most_ratio=min(ratio + drift, _STEEPEST))
    return GrowthFit(
        Growth.QUADRATIC if ratio > _QUADRATIC else Growth.LINEARITHMIC,
        slope,
        step,
        ratio,
        least_ratio=max(1.0, ratio - drift),
        most_ratio=ratio + drift,
    )


def _unsettled(rise: float, heap: float) -> float:
    """The share of a slope that may be the allocator's, after so much growth.

    glibc moves a growing block from the heap to pages of its own at some size up to 32 MiB, see
    M_MMAP_THRESHOLD in mallopt(3); until then it may copy it, and leave holes behind.
    """
    return _MAY_BE_HEAPS * max(0.0, 1 - rise / heap) if heap else 0.0
