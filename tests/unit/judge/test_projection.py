"""The arithmetic, on peaks that were really measured (MiB by rows; SQLite, a 7-column model)."""

from __future__ import annotations

import pytest

from pytest_membudget.judge.projection import Projection, fits_up_to, project, project_highest
from pytest_membudget.units import MIB

ROWS = (1_000, 6_000, 12_500, 25_000, 50_000, 100_000, 200_000)
FULL = 800_000
MEASURED = {
    "all": (44.1, 53.2, 63.3, 82.4, 120.9, 197.3, 351.2, 1276.6),
    "bulk_update": (46.6, 61.1, 77.4, 109.0, 172.5, 299.2, 552.7, 2072.7),
    "own batches": (44.4, 47.6, 50.3, 54.7, 65.0, 84.8, 126.4, 370.1),
    "iterator": (43.3, 46.1, 46.7, 46.9, 46.8, 46.8, 47.3, 47.2),
    "update": (42.6, 43.8, 44.4, 44.4, 44.5, 44.5, 44.5, 44.5),
    "flushed at 50,000": (44.2, 52.2, 60.5, 76.4, 108.2, 108.4, 108.2, 108.4),
    "dict": (42.8, 45.5, 47.9, 51.5, 58.3, 71.9, 99.5, 263.0),
}


def points(name: str, count: int = 7) -> list[tuple[float, float]]:
    return [(rows, peak * MIB) for rows, peak in zip(ROWS, MEASURED[name], strict=False)][2:count]


def predicted(points: list[tuple[float, float]], rows: int = FULL, grain: int = 0) -> Projection:
    projection = project(points, rows, grain=grain)
    assert projection is not None
    return projection


def of_peaks(peaks: dict[int, float], rows: int = 1_600_000, grain: int = 0) -> Projection:
    return predicted([(float(size), peak * MIB) for size, peak in peaks.items()], rows, grain)


WITHOUT_THRESHOLD = ["all", "bulk_update", "dict", "iterator", "update"]


@pytest.mark.parametrize(
    ("name", "count"),
    [*((name, 7) for name in MEASURED), *((name, 5) for name in WITHOUT_THRESHOLD)],
)
def test_the_projection_holds_the_peak_that_was_measured(name: str, count: int) -> None:
    """Three samples are enough for what has no threshold."""
    truth = MEASURED[name][-1] * MIB
    projection = predicted(points(name, count))
    assert abs(projection.value - truth) <= max(0.03 * truth, 6 * MIB)
    assert projection.low <= truth <= projection.high
    assert not projection.measured


GROWTH = {"iterator": "constant", "update": "constant", "flushed at 50,000": "bounded"}


@pytest.mark.parametrize("name", [name for name in MEASURED if name != "own batches"])
def test_the_growth_has_its_name(name: str) -> None:
    assert predicted(points(name)).growth == GROWTH.get(name, "linear")


def test_one_flat_stretch_after_a_steep_one_is_not_trusted_alone() -> None:
    projection = predicted(points("flushed at 50,000", 6))
    assert projection.growth == "bounded"
    assert projection.high > 5 * projection.value


def test_a_slope_that_doubles_is_quadratic() -> None:
    points = [(n, 40 * MIB + n * n / 40) for n in (12_500.0, 25_000.0, 50_000.0, 100_000.0)]
    projection = predicted(points)
    assert projection.growth == "quadratic"
    assert projection.value == pytest.approx(40 * MIB + FULL**2 / 40, rel=0.02)


def test_a_slope_that_doubles_once_is_not_quadratic_yet() -> None:
    """A step looks like that: prefetch_related() in chunks without a related row, on SQLite."""
    peaks = {6_250: 60.8, 12_500: 65.2, 25_000: 81.5}
    projection = of_peaks(peaks, 200_000)
    assert projection.growth == "linear"
    before = (65.2 - 60.8) / 6_250
    assert projection.low == pytest.approx((81.5 + 175_000 * before) * MIB, rel=0.01)
    quadratic = 81.5 + sum((16.3 / 12_500) * 2**k * (12_500 * 2**k) for k in (1, 2, 3))
    assert projection.high > quadratic * MIB


def test_a_curve_below_the_floor_is_not_superlinear() -> None:
    projection = of_peaks({1_661: 48.9, 6_641: 61.1, 13_282: 85.9}, 1_700_000)
    assert projection.growth == "linear"
    assert projection.low < 5 * 1024 * MIB < projection.high


def test_a_sample_at_production_is_no_projection() -> None:
    projection = of_peaks({400: 50, 800: 60}, 800)
    assert projection.measured
    assert projection.value == 60 * MIB
    assert projection.half_width == pytest.approx(0.6 * MIB)


def test_more_samples_give_a_narrower_interval() -> None:
    first, *further = [predicted(points("all", count)).half_width for count in (5, 6, 7)]
    assert max(further) < first


def test_growth_in_steps_of_many_rows_may_have_one_more_or_less_in_a_stretch() -> None:
    """benchmarks: readings.0034_blocks_of_40_000 on SQLite."""
    peaks = {25_000: 52.6, 50_000: 61.3, 100_000: 69.2, 200_000: 84.5}
    smooth, stepped = of_peaks(peaks), of_peaks(peaks, grain=40_000)
    assert smooth.high < 351.6 * MIB <= stepped.high
    assert smooth.value == stepped.value


def test_slopes_that_keep_rising_raise_the_upper_bound() -> None:
    """Seven percent a doubling is linear by name, but the interval reaches where it leads."""
    peaks = {25_000: 40.0, 50_000: 65.0, 100_000: 118.5, 200_000: 233.0}
    projection = of_peaks(peaks)
    truth = 233.0 + sum(114.5 * (2 * 1.07) ** k for k in (1, 2, 3))
    assert projection.growth == "linear"
    assert projection.value < truth * MIB <= projection.high


def test_a_slope_that_rests_on_little_growth_may_be_the_allocators() -> None:
    """benchmarks: readings.0012_csv_text on PostgreSQL, at half the bytes a row from there on."""
    peaks = {12_500: 56.9, 25_000: 58.2, 50_000: 61.2, 100_000: 66.9}
    projection = of_peaks(peaks)
    assert projection.growth == "linear"
    assert projection.low < 0.7 * projection.value
    assert projection.low <= 1.15 * 135.0 * MIB


def test_slopes_that_fall_are_taken_to_fall_on() -> None:
    """benchmarks: readings.0024_own_batches_over_list on SQLite."""
    peaks = {25_000: 52.6, 50_000: 62.1, 100_000: 79.6}
    projection = of_peaks(peaks)
    assert projection.value == pytest.approx(586.6 * MIB, rel=0.02)
    assert projection.low <= 586.6 * MIB <= projection.high


def test_the_highest_phase_decides_and_its_interval_reaches_over_all() -> None:
    flat = [(n, 80.0 * MIB) for n in (25_000.0, 50_000.0, 100_000.0)]
    steep = [(n, 40 * MIB + n * 200) for n in (25_000.0, 50_000.0, 100_000.0)]
    both = project_highest([flat, steep], FULL)
    assert both is not None
    assert (both.value, both.growth) == (predicted(steep).value, "linear")
    near = project_highest([flat, steep], 200_000)
    assert near is not None
    assert near.value == pytest.approx(80 * MIB, rel=0.01)
    fits = fits_up_to([flat, steep], FULL, 100 * MIB)
    assert fits == pytest.approx(60 * MIB / 200, rel=0.01)


def test_too_few_points_project_nothing() -> None:
    assert project([], FULL) is None
    assert project([(1_000, 50 * MIB)], FULL) is None


@pytest.mark.parametrize(
    ("name", "limit", "rows"),
    [("all", 512, 304_000), ("all", 100, 36_400), ("all", 40, 0), ("iterator", 512, None)],
)
def test_how_many_rows_fit(name: str, limit: int, rows: int | None) -> None:
    fits = fits_up_to([points(name)], FULL, limit * MIB)
    assert fits == (None if rows is None else pytest.approx(rows, rel=0.01))
