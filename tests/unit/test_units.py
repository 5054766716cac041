from __future__ import annotations

import math

import pytest

from pytest_membudget import units
from pytest_membudget.errors import BudgetError
from pytest_membudget.units import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512Mi", 512 * 1024**2),
        ("512MiB", 512 * 1024**2),
        ("512 MiB", 512 * 1024**2),
        ("2GiB", 2 * 1024**3),
        ("1.5Gi", 1536 * 1024**2),
        ("500M", 500_000_000),
        ("500MB", 500_000_000),
        ("4k", 4_000),
        ("1_000", 1_000),
        (4096, 4096),
    ],
)
def test_sizes_are_read_as_kubernetes_does(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "Mi", "512Q", "512m", "-1", "1e9", 0, -5, 1.5, True, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(BudgetError):
        parse_size(text)


def test_an_interval_has_one_unit() -> None:
    gib = 1024**3
    assert units.format_interval(4.81 * gib, 4.9 * gib, 5.04 * gib) == "4.9 GiB (4.8–5.0)"
    assert units.format_interval(4.9 * gib, 4.9 * gib, 4.9 * gib) == "4.9 GiB"


@pytest.mark.parametrize(("value", "rows"), [(7, 7), ("1_700_000", 1_700_000), ("1,000", 1_000)])
def test_row_counts(value: object, rows: int) -> None:
    assert units.parse_rows(value) == rows


def test_rows_are_rounded_down() -> None:
    assert [units.round_rows_down(rows) for rows in (7, 999, 153_987)] == [7, 999, 153_000]


def test_seconds() -> None:
    shown = [units.format_seconds(seconds) for seconds in (0.31, 42, 160, 600, 12_000)]
    assert shown == ["0.3 s", "42 s", "2.7 min", "10 min", "3.3 h"]
    assert units.format_duration(3_120, 3_420, 3_780) == "57 min (52–63)"
    assert units.format_duration(0.2, 0.25, 0.31) == "0.2 s (0.2–0.3)"
    assert units.format_duration(3_120, 3_420, math.inf) == "at least 57 min"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15min", 900), ("90s", 90), ("2h", 7200), ("1.5 h", 5400), ("90", 90), (0.5, 0.5)],
)
def test_durations_are_read_as_they_are_shown(text: object, seconds: float) -> None:
    assert units.parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "min", "15m", "0min", "-1s", "1e9h", 0, True, None])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(BudgetError):
        units.parse_seconds(text)
