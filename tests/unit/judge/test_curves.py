"""What grows in the samples, on marks that were really measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.curves import (
    breaks_at,
    curves,
    curves_by_migration,
    cycles_add_up,
    most_elsewhere,
)
from pytest_membudget.judge.projection import project_highest
from pytest_membudget.sample import Facts, Outcome, Phase, Run, Sample
from pytest_membudget.units import MIB

# benchmarks: articles.0011_in_bulk_by_pages on PostgreSQL.  By rows: what the phase began with
# and its peak, of the list of every key and of the pages of objects after it.
KEYS_THEN_PAGES = {
    25_000: ((57282560, 60375040), (60379136, 72699904)),
    50_000: ((57348096, 63029248), (63033344, 74129408)),
    100_000: ((57212928, 69218304), (68554752, 75898880)),
    200_000: ((57303040, 81387520), (79990784, 82436096)),
    800_000: ((57262080, 154296320), (148041728, 148226048)),
}


def sample(rows: int, *phases: tuple[int, int], **facts: Any) -> Sample:
    peak = max(mark for _, mark in phases)
    named = {Phase("", f"SELECT {number}"): marks for number, marks in enumerate(phases)}
    run = Run(Outcome.FINISHED, peak, baseline=57_000_000, phases=named, facts=Facts(**facts))
    return Sample({"shop.Order": rows}, run)


def measured(*sizes: int) -> list[Sample]:
    return [sample(size, *KEYS_THEN_PAGES[size]) for size in sizes]


def test_the_phase_that_will_be_highest_is_not_the_highest_of_the_samples() -> None:
    """The pages are higher than the keys in every sample up to 200,000 rows, and not at 800,000."""
    samples = measured(25_000, 50_000, 100_000)
    truth = KEYS_THEN_PAGES[800_000][0][1]
    by_phase = project_highest(curves(samples), 800_000)
    runs = [(float(one.size), float(one.run.peak)) for one in samples]
    by_run = project_highest([runs], 800_000)
    assert by_phase is not None
    assert by_run is not None
    assert abs(by_phase.value - truth) < 6 * MIB
    assert by_phase.low <= truth <= by_phase.high
    assert by_run.high < truth


def test_a_statement_of_several_lines_is_no_migration() -> None:
    samples = [
        replace(one, run=replace(one.run, phases={Phase("", f"\n{head.statement}\nFROM x"): marks}))
        for one in measured(25_000, 50_000, 100_000)
        for head, marks in list(one.run.phases.items())[:1]
    ]
    assert curves_by_migration(samples) == {}


def test_a_phase_that_stays_with_what_it_began_with_is_left_to_the_ones_before() -> None:
    samples = measured(100_000, 200_000, 800_000)
    (keys,) = curves(samples)
    assert keys == [(float(one.size), float(KEYS_THEN_PAGES[one.size][0][1])) for one in samples]


def test_a_phase_that_only_large_samples_have_is_bounded_by_its_growth() -> None:
    """It rose from 160 to 260 MiB between two samples and was not there in the one before."""
    before = (57 * MIB, 300 * MIB)
    samples = [
        sample(50_000, before),
        sample(100_000, before, (60 * MIB, 160 * MIB)),
        sample(200_000, before, (60 * MIB, 260 * MIB)),
    ]
    assert most_elsewhere(samples, 1_600_000) == pytest.approx(1_660 * MIB)


def test_a_phase_that_hardly_rises_is_bounded_by_its_growth() -> None:
    high = (57 * MIB, 300 * MIB)
    samples = [
        sample(rows, high, (60 * MIB, 60 * MIB + rows * 5)) for rows in (50_000, 100_000, 200_000)
    ]
    assert most_elsewhere(samples, 160_000_000) == pytest.approx(60 * MIB + 160_000_000 * 5)


def test_a_start_that_peaks_above_the_phases_does_not_hide_them() -> None:
    samples = [sample(rows, (50 * MIB, 50 * MIB + rows * 40)) for rows in (50_000, 100_000)]
    high = [
        replace(one, run=replace(one.run, peak=150 * MIB, baseline=150 * MIB)) for one in samples
    ]
    assert [points[1:] for points in curves(high)] == [points[1:] for points in curves(samples)]


def test_phases_that_miss_the_peak_are_not_followed() -> None:
    one, two, three = measured(25_000, 50_000, 100_000)
    hidden = Run(Outcome.FINISHED, 200 * MIB, phases=three.run.phases)
    assert curves([one, two, Sample(three.rows, hidden)]) == [
        [(25_000.0, 72699904.0), (50_000.0, 74129408.0), (100_000.0, 200.0 * MIB)]
    ]


def test_two_samples_start_from_their_baseline() -> None:
    assert all(curve[0] == (0.0, 57_000_000.0) for curve in curves(measured(25_000, 50_000)))


def test_nothing_grows_without_samples_and_no_garbage_where_the_collector_is_off() -> None:
    assert curves([]) == []
    assert most_elsewhere([], 1_000_000) == 0
    for samples in ([], [sample(rows, (0, MIB)) for rows in (50_000, 100_000)]):
        assert not cycles_add_up(samples, 1_600_000)


PARAMETERS = {
    "grows": ((5_000, 10_000), 250_000, 250_000),
    "does not grow": ((999, 999), 250_000, None),
    "no limit is known": ((10_000, 20_000), None, None),
    "not before production's row count": ((500, 1_000), 250_000, None),
    "the sample is beyond it": ((30_000, 30_000), 50_000, None),
}


@pytest.mark.parametrize(
    ("parameters", "limit", "expected"), PARAMETERS.values(), ids=PARAMETERS.keys()
)
def test_a_statement_with_a_parameter_for_each_row_breaks(
    parameters: tuple[int, int], limit: int | None, expected: int | None
) -> None:
    samples = [
        sample(rows, (0, MIB), most_parameters=most, parameter_limit=limit)
        for rows, most in zip((5_000, 10_000), parameters, strict=True)
    ]
    found = breaks_at(samples, 1_000_000)
    assert found == (expected and (expected, FindingCode.TOO_MANY_PARAMETERS))
    longer = [
        sample(rows, (0, MIB), longest_statement=10 * most, statement_limit=limit and 10 * limit)
        for rows, most in zip((5_000, 10_000), parameters, strict=True)
    ]
    found = breaks_at(longer, 1_000_000)
    assert found == (expected and (expected, FindingCode.STATEMENT_TOO_LONG))


# shop.0004_prefetch_in_chunks, shop.0005_prefetch_of_all and readings.0002_loop_over_all on SQLite:
# how often the cycle collector's oldest generation was collected, and the objects that it freed or
# had yet to.
CHUNKS_3_13 = {25_000: (1, 263_222), 50_000: (3, 435_006), 100_000: (6, 906_024)}
CHUNKS_3_11 = {6_250: (2, 54_503), 12_500: (3, 109_003), 25_000: (6, 302_003)}
ALL_3_13 = {12_500: (1, 131_972), 25_000: (2, 263_222), 50_000: (3, 24)}
LOOP_3_13 = {50_000: (0, 683), 100_000: (1, 683)}
GARBAGE = {
    "it ran once": (CHUNKS_3_13, (25_000, 50_000), True),
    "it has run often enough": (CHUNKS_3_13, (50_000, 100_000), False),
    "it ran twice": (CHUNKS_3_11, (6_250, 12_500), True),
    "often enough with smaller generations": (CHUNKS_3_11, (12_500, 25_000), False),
    "alive or garbage, it is not known yet": (ALL_3_13, (12_500, 25_000), True),
    "what is there is alive": (ALL_3_13, (25_000, 50_000), False),
    "no garbage": (LOOP_3_13, (50_000, 100_000), False),
    "too little to make it run": ({10**5: (0, 500), 10**6: (0, 900)}, (10**5, 10**6), False),
}


@pytest.mark.parametrize(("measured", "sizes", "expected"), GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_that_adds_up_until_the_cycle_collector_runs(
    measured: dict[int, tuple[int, int]], sizes: tuple[int, int], *, expected: bool
) -> None:
    samples = []
    for size in sizes:
        runs, garbage = measured[size]
        samples.append(sample(size, (0, MIB), oldest_collections=runs, cyclic_objects=garbage))
    assert cycles_add_up(samples, 1_600_000) is expected
