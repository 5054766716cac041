"""The duration and the server's memory: projected, compared with their limits, and put in words."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.conclude import conclude, conclude_early
from pytest_membudget.check.early_verdict import EarlyVerdict
from pytest_membudget.judge import figure_reasons
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.duration import Duration
from pytest_membudget.judge.evidence import Database, Evidence
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.projection import Projection
from pytest_membudget.judge.server_memory import ServerMemory
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict
from pytest_membudget.sample import Facts, Outcome, Run, Sample
from pytest_membudget.units import MIB

ROWS = 1_600_000
SIZES = (25_000, 50_000, 100_000)
POSTGRESQL = Database("default", "postgresql", "16")


def budget(**limits: Any) -> Budget:
    return Budget((("shop", "0002_it"),), {"shop.Order": ROWS}, 512 * MIB, "the marker", **limits)


def sample(rows: int, seconds: float, server: float | None = None, **run: Any) -> Sample:
    peak = None if server is None else int(server * MIB)
    known = {"outcome": Outcome.FINISHED, "peak": 60 * MIB, "startup": 1.0, **run}
    return Sample({"shop.Order": rows}, Run(**known, duration=seconds, server_peak=peak))


def evidence(*samples: Sample, **limits: Any) -> Evidence:
    return Evidence(budget(**limits), False, database=POSTGRESQL, samples=samples)


def projected(seconds: dict[int, float], **limits: Any) -> Projection:
    samples = (sample(rows, its) for rows, its in seconds.items())
    found = Duration(evidence(*samples, **limits)).projection
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("seconds", "truth"),
    [
        ({rows: rows * 1e-4 for rows in SIZES}, 160),
        # What it takes whatever the rows.
        ({rows: 5 + rows * 1e-4 for rows in SIZES}, 165),
        ({rows: 5 + rows * 1e-7 for rows in SIZES}, 5.2),
        ({rows: (rows / 1e4) ** 2 for rows in (12_500, *SIZES)}, 25_600),
        ({rows: rows * math.log2(rows) * 1e-5 for rows in (12_500, *SIZES)}, 330),
        # A busy machine.
        ({25_000: 2.4, 50_000: 6.1, 100_000: 9.5}, 160),
    ],
    ids=["linear", "constant share", "constant", "quadratic", "linearithmic", "noise"],
)
def test_a_duration_is_projected(seconds: dict[int, float], truth: float) -> None:
    found = projected(seconds)
    assert found.value == pytest.approx(truth, rel=0.25)
    assert found.low < truth < found.high
    assert found.low >= 0.7 * max(seconds.values())


def test_production_may_be_faster() -> None:
    seconds = {rows: rows * 1e-4 for rows in SIZES}
    slow, fast = projected(seconds), projected(seconds, speed=1.6)
    assert (slow.value, fast.value) == (pytest.approx(160), pytest.approx(100))
    assert fast.high == pytest.approx(slow.high / 1.6)


def test_the_rows_that_production_may_have_more_of_take_time_as_well() -> None:
    samples = [sample(rows, rows * 1e-4) for rows in SIZES]
    one, more = (Duration(evidence(*samples), 0.5, most).projection for most in (1, 4))
    assert one is not None
    assert more is not None
    assert more.high == pytest.approx(4 * one.high)
    assert more.low == pytest.approx(one.low)


def test_one_sample_tells_little_of_a_duration() -> None:
    found = projected({25_000: 2.5})
    assert found.value == pytest.approx(160)
    assert found.low < 5
    assert found.high > 300


LATE = sample(200_000, 101, outcome=Outcome.TIMED_OUT, failure="it did not finish within 101 s")


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        # They do not explain that it took so long.
        ({rows: rows * 1e-4 for rows in SIZES}, 800 / 1.2, math.inf),
        # They do: twice as many rows would take 200 s.
        ({rows: rows * 1e-3 for rows in SIZES}, 800 / 1.2, 4_000),
    ],
)
def test_a_sample_that_was_stopped_is_a_lower_bound(
    seconds: dict[int, float], low: float, high: float
) -> None:
    samples = [sample(rows, its) for rows, its in seconds.items()]
    found = Duration(evidence(*samples, LATE)).projection
    assert found is not None
    assert found.low >= 0.999 * low
    assert found.high <= high
    assert math.isinf(found.high) == math.isinf(high)


def verdict(*samples: Sample, **limits: Any) -> Judgement:
    return Assessment(evidence(*samples, **limits)).judgement


TEN_A_MS = [sample(rows, rows * 1e-4) for rows in SIZES]
DURATIONS = [
    (TEN_A_MS, 900, "within", "It would take 2.7 min (1.5–4.3)"),
    (TEN_A_MS, 60, "exceeds", "shop.0002_it would take 2.7 min ("),
    (
        TEN_A_MS,
        160,
        "inconclusive",
        "may or may not end in time: it would take 2.7 min",
    ),
    (TEN_A_MS, 8, "exceeds", "shop.0002_it took 10 s with 100,000 of 1,600,000 shop.Order rows; "),
    ([*TEN_A_MS, LATE], 90, "exceeds", "shop.0002_it took more than 100 s with 200,000 of"),
    ([*TEN_A_MS, LATE], 600, "exceeds", "shop.0002_it would take at least 13 min with 1,600,000"),
    ([*TEN_A_MS, LATE], 3600, "inconclusive", "it would take at least 13 min with 1,600,000"),
    # Two samples, and a limit that is far away or is not.
    (TEN_A_MS[:2], 3600, "within", "max_duration is 60 min."),
    (TEN_A_MS[:2], 400, "inconclusive", "but there were too few samples to be sure"),
    ([LATE], 90, "exceeds", "shop.0002_it took more than 101 s with 200,000 of"),
]


@pytest.mark.parametrize(("samples", "limit", "expected", "words"), DURATIONS)
def test_a_verdict_includes_the_duration(
    samples: list[Sample], limit: float, expected: str, words: str
) -> None:
    found = verdict(*samples, max_duration=limit)
    assert found.verdict == expected, found.reason
    assert words in found.reason
    assert found.of_peak == (expected == "within")


def test_a_peak_over_its_limit_and_an_error_come_first() -> None:
    peaks = [replace(one, run=replace(one.run, peak=600 * MIB)) for one in TEN_A_MS]
    assert "would peak at 600 MiB" in verdict(*peaks, max_duration=60).reason
    broke = sample(200_000, 900, outcome=Outcome.RAISED, failure="ValueError: no")
    assert verdict(*TEN_A_MS, broke, max_duration=60).verdict == "error"


def test_a_result_has_the_duration_and_rests_on_it() -> None:
    found = conclude(Assessment(evidence(*TEN_A_MS, max_duration=40.0, speed=2.0)), "nodeid", "")
    assert (found.verdict, found.basis) == (Verdict.EXCEEDS, Basis.PROJECTED)
    assert (found.max_duration_s, found.speed) == (40, 2)
    assert found.projected_duration_s == 80
    low, high = found.projected_duration_low_s, found.projected_duration_high_s
    assert low is not None
    assert high is not None
    assert 40 < low < 80 < high
    assert found.fits_up_to_rows is not None
    assert 790_000 < found.fits_up_to_rows < 810_000
    assert f"It ends in time up to {found.fits_up_to_rows // 1_000 * 1_000:,}" in found.reason
    assert "measured-here" in [one.code for one in found.findings]
    late = conclude(Assessment(evidence(*TEN_A_MS, LATE)), "nodeid", "")
    assert (late.projected_duration_s, late.projected_duration_high_s) == (800, None)


def test_a_migration_that_no_rows_matter_to_is_judged_by_its_dry_runs() -> None:
    within = Judgement(Verdict.WITHIN, Basis.MEASURED, "shop.0002_it accesses no table.")
    run = Run(Outcome.FINISHED, 60 * MIB, duration=2.0)
    early = EarlyVerdict(within, [Sample({}, run)], 60 * MIB, 59 * MIB, 61 * MIB)

    def concluded(**limits: Any) -> tuple[str, str]:
        asked = Budget((("shop", "0002_it"),), {}, 512 * MIB, "the marker", **limits)
        found = conclude_early(Evidence(asked, False, database=POSTGRESQL), "nodeid", early)
        return found.verdict, found.reason

    assert concluded() == ("within", "shop.0002_it accesses no table.")
    assert concluded(max_duration=60.0) == (
        "within",
        "shop.0002_it accesses no table. It took 2 s (1.5–2.6); max_duration is 60 s.",
    )
    assert concluded(max_duration=1.0) == (
        "exceeds",
        "shop.0002_it took 2 s on empty tables; max_duration is 1 s.",
    )
    verdict, reason = concluded(limit_server=64 * MIB)
    assert verdict == "inconclusive"
    assert "its processes are not visible" in reason


SERVER = [sample(rows, 1, 10 + 0.01 * rows / 16) for rows in SIZES]


@pytest.mark.parametrize(
    ("samples", "limit", "expected", "words"),
    [
        (SERVER, 4096, "within", "It would take 1010 MiB"),
        (SERVER, 512, "exceeds", "would take 1010 MiB"),
        (SERVER, 1_010, "inconclusive", "may or may not fit on the server"),
        (SERVER, 50, "exceeds", "took 72.5 MiB of the database server's memory with 100,000 of"),
        ([sample(rows, 1) for rows in SIZES], 512, "inconclusive", "processes are not visible"),
        (SERVER[:1], 512, "inconclusive", "the time budget allowed only one sample"),
    ],
)
def test_a_verdict_includes_the_memory_of_the_server(
    samples: list[Sample], limit: float, expected: str, words: str
) -> None:
    found = verdict(*samples, limit_server=int(limit * MIB))
    assert found.verdict == expected, found.reason
    assert words in found.reason


def test_what_a_sort_may_take_is_no_growth_without_end() -> None:
    """An index of 100,000 rows is built in memory, and one of more within maintenance_work_mem."""
    facts = Facts(server_allowance=64 * MIB)
    samples = [replace(one, run=replace(one.run, facts=facts)) for one in SERVER]
    found = ServerMemory(evidence(*samples)).projection
    assert found is not None
    assert found.value == pytest.approx(1_010 * MIB, rel=0.01)
    assert found.low < 72.5 * MIB
    assert verdict(*samples, limit_server=512 * MIB).verdict == "inconclusive"


def test_what_may_have_come_and_gone_unseen_widens_the_interval() -> None:
    samples = [replace(one, run=replace(one.run, server_unseen=10 * MIB)) for one in SERVER]
    sure, unsure = (ServerMemory(evidence(*its)).projection for its in (SERVER, samples))
    assert sure is not None
    assert unsure is not None
    assert (unsure.value, unsure.low) == (sure.value, sure.low)
    assert unsure.high == pytest.approx(sure.high + 10 * MIB * (1 + 30))
    flat = [sample(rows, 1, 5, server_unseen=60 * MIB) for rows in SIZES]
    assert verdict(*flat, limit_server=256 * MIB).verdict == "inconclusive"
    assert verdict(*flat, limit_server=4096 * MIB).verdict == "within"


def test_sqlite_has_no_server() -> None:
    found = replace(evidence(*TEN_A_MS, limit_server=MIB), database=Database("default", "sqlite"))
    assert "has no server; " not in Assessment(found).judgement.reason
    assert "the database runs in the process of the migration" in Assessment(found).judgement.reason


def test_statements_of_each_row_are_told() -> None:
    samples = [
        sample(rows, rows * 1e-4, sent={"SELECT 1": rows, "SELECT 2": 90, "SELECT 3": rows // 10})
        for rows in SIZES
    ]
    assert Duration(evidence(*samples)).for_each_row == {"SELECT 1": 1.0}
    found = conclude(Assessment(evidence(*samples)), "nodeid", "")
    [told] = [one.message for one in found.findings if one.code == "statements-per-row"]
    assert told == "the migration sends 1 statements for each shop.Order row: SELECT 1 (1 a row)"


DURATION = Duration(evidence(*TEN_A_MS, max_duration=900.0))
HOUR = Projection(3_420, 3_120, 3_780, 2e-3, Growth.LINEAR, measured=False)
SENTENCES = [
    (
        figure_reasons.passes(DURATION, HOUR),
        "shop.0002_it would take 57 min (52–63) with 1,600,000 shop.Order rows; max_duration is "
        "15 min. It ends in time up to 8,990,000 rows.",
    ),
    (
        figure_reasons.passed(DURATION, TEN_A_MS[-1]),
        "shop.0002_it took 10 s with 100,000 of 1,600,000 shop.Order rows; max_duration is 15 min. "
        "It ends in time up to 8,990,000 rows.",
    ),
    (
        figure_reasons.holds(DURATION, HOUR),
        "It would take 57 min (52–63); max_duration is 15 min.",
    ),
    (
        figure_reasons.unclear(DURATION, HOUR, (200_000, 90)),
        "shop.0002_it seems not to end in time, but there were too few samples to be sure: it "
        "would take 57 min (52–63) with 1,600,000 shop.Order rows, max_duration is 15 min, and the "
        "largest sample within the time budget of 60 s had 100,000 rows; time_budget=90 would "
        "allow one of 200,000 rows, which would tell more.",
    ),
    (
        figure_reasons.unknown(ServerMemory(evidence(TEN_A_MS[0], limit_server=64 * MIB)), None),
        "shop.0002_it may or may not fit on the server: limit_server is 64 MiB, and the database "
        "server's memory is unknown, because its processes are not visible from this machine; use "
        "--membudget-server embedded, or a server on this machine.",
    ),
]


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES)
def test_what_a_reason_says(sentence: str, expected: str) -> None:
    assert sentence == expected


def test_all_are_listed_here() -> None:
    source = inspect.getsource(inspect.getmodule(test_all_are_listed_here))  # type: ignore[arg-type]
    functions = inspect.getmembers(figure_reasons, inspect.isfunction)
    own = {name for name, one in functions if one.__module__ == figure_reasons.__name__}
    public = {name for name in own if not name.startswith("_")}
    assert [name for name in sorted(public) if f"figure_reasons.{name}(" not in source] == []
