"""Each sentence that a verdict can have."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace

import pytest

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.gap import rows_unknown, tables_without_model
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.projection import Projection
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.units import MIB

ORDERS = {"shop.Order": 1_700_000}
BUDGET = Budget((("shop", "0002_it"),), ORDERS, 512 * MIB, "the marker")


def projection(peak: int, low: int, high: int) -> Projection:
    sizes = (size * MIB for size in (peak, low, high))
    return Projection(*sizes, slope=500, growth=Growth.LINEAR, measured=False)


def seconds(value: float, high: float = 60_000) -> Projection:
    return Projection(value, 0.9 * value, high, slope=1, growth=Growth.LINEAR, measured=False)


PROJECTED, UNCLEAR = projection(900, 880, 920), projection(500, 400, 600)


def sample(outcome: Outcome = Outcome.FINISHED, failure: str = "", peak: int = 600) -> Sample:
    return Sample({"shop.Order": 50_000}, Run(outcome, peak * MIB, failure=failure))


RAISED = sample(Outcome.RAISED, "ValueError: no")
TIMED_OUT = sample(Outcome.TIMED_OUT, "it did not finish within 60 s")
SENTENCES = [
    (
        reasons.peaks(BUDGET, PROJECTED, 950_000),
        "would peak at 900 MiB (880–920) with 1,700,000 shop.Order rows; the limit is 512 MiB. It "
        "fits up to 950,000 rows.",
    ),
    (
        reasons.passed_limit(BUDGET, sample(), 0),
        "peaked at 600 MiB, over the limit of 512 MiB, with 50,000 of 1,700,000 shop.Order rows. "
        "It does not fit at any row count that was measured.",
    ),
    (
        reasons.passed_limit(BUDGET, sample(Outcome.OVER_LIMIT), None),
        "passed the limit of 512 MiB with 50,000 of 1,700,000 shop.Order rows.",
    ),
    (
        reasons.passed_limit_on_few_rows(BUDGET, Sample({}, Run(Outcome.FINISHED, 600 * MIB))),
        "peaked at 600 MiB, over the limit of 512 MiB, on empty tables.",
    ),
    (
        reasons.exceeds_with_nothing_to_apply(BUDGET, 600 * MIB),
        "can't fit: manage.py migrate peaks at 600 MiB with nothing to apply, and the limit is 512 "
        "MiB.",
    ),
    (
        reasons.sentence(BUDGET, rows_unknown(["shop.Line"], "membudget.json").sentence),
        "accesses shop.Line, whose production row count is unknown; refresh membudget.json or pass "
        "--membudget-rows shop.Line=N.",
    ),
    (
        reasons.unclear(BUDGET, UNCLEAR, [sample()], (100_000, 130)),
        "may or may not fit: it would peak at 500 MiB (400–600) with 1,700,000 shop.Order rows, "
        "the limit is 512 MiB, and the largest sample within the time budget of 60 s had 50,000 "
        "rows; time_budget=130 would allow one of 100,000 rows, which would tell more.",
    ),
    (
        reasons.unclear(BUDGET, UNCLEAR, [TIMED_OUT], None),
        "may or may not fit: it would peak at 500 MiB (400–600) with 1,700,000 shop.Order rows, "
        "the limit is 512 MiB, and with 50,000 rows it did not finish within 60 s.",
    ),
    (
        reasons.unclear(replace(BUDGET, limit=300 * MIB), UNCLEAR, [sample()], None),
        "seems not to fit, but there were too few samples to be sure: it would peak at 500 MiB "
        "(400–600) with 1,700,000 shop.Order rows, the limit is 300 MiB, and the largest sample "
        "within the time budget of 60 s had 50,000 rows.",
    ),
    (
        reasons.near_limit(BUDGET, 511 * MIB),
        "may or may not fit: it peaked at 511 MiB with few rows or none, too close to the limit of "
        "512 MiB to be sure.",
    ),
    (
        reasons.not_judged(BUDGET, sample(), (100_000, 130)),
        "could not be judged: the time budget allowed only one sample; time_budget=130 would allow "
        "one of 100,000 rows, which would tell more.",
    ),
    (
        reasons.breaks(BUDGET, 250_000, FindingCode.TOO_MANY_PARAMETERS),
        "would fail with about 250,000 shop.Order rows: one of its statements has a parameter for "
        "each row, which exceeds the database's limit.",
    ),
    (
        reasons.breaks(BUDGET, 250_000, FindingCode.STATEMENT_TOO_LONG),
        "would fail with about 250,000 shop.Order rows: one of its statements has a part for each "
        "row, which exceeds the server's max_allowed_packet.",
    ),
    (
        reasons.sentence(BUDGET, tables_without_model(["legacy"]).sentence),
        "accesses tables that have no model, so they can't be seeded: legacy; write a test with "
        "the marker, rows= and a seed= that creates their rows.",
    ),
    (
        reasons.processes_not_followed(BUDGET, 3),
        "ran 3 processes, and not all tables that they access are known; write a test with the "
        "marker and rows=.",
    ),
    (
        reasons.too_few_rows_to_matter(BUDGET, {}),
        "accesses no table whose size affects memory.",
    ),
    (
        reasons.too_few_rows_to_matter(BUDGET, {"shop.Order": 2_000}),
        "accesses only tables with too few rows to affect memory: 2,000 shop.Order.",
    ),
    (
        reasons.broke(BUDGET, [sample(), RAISED]),
        "raised with 50,000 shop.Order rows: ValueError: no (it succeeded with 50,000 rows)",
    ),
    (
        reasons.broke_on_few_rows(BUDGET, RAISED.run, empty=True),
        "failed on empty tables: ValueError: no",
    ),
    (
        reasons.never_ended(BUDGET, TIMED_OUT),
        "timed out with 50,000 shop.Order rows: it did not finish within 60 s.",
    ),
    (
        reasons.out_of_time(BUDGET, 51.4, 133),
        "could not be judged: 51 s of the time budget of 60 s passed before the first sample, and "
        "the rest was too short for one; time_budget=140 would allow some.",
    ),
]
OTHER_TEXTS = [
    (reasons.sets_peak("shop.0003_b"), "shop.0003_b sets the peak."),
    (
        reasons.sets_peak("the receiver shop.tell"),
        "The receiver shop.tell sets the peak.",
    ),
    (
        reasons.others("shop.0003_b", 100 * MIB),
        "The others would peak at up to 100 MiB (shop.0003_b).",
    ),
    (
        reasons.sentence(replace(BUDGET, migrations=(("shop", "0002_it"),) * 2), "is odd", "b.1"),
        "b.1, of shop.0002_it + shop.0002_it, is odd.",
    ),
    (reasons.takes(seconds(50_000)), "It would take about 13.9 h."),
    (reasons.takes(seconds(50_000, math.inf)), "It would take at least 13.9 h."),
    (
        reasons.largest_sample(BUDGET, [sample()], None),
        "the largest sample within the time budget of 60 s had 50,000 rows",
    ),
    (
        reasons.without_rows(["core.apps.register"]),
        "Rows that receivers load in each migrate are not included: core.apps.register.",
    ),
    (
        reasons.assumes(["every row has shop_order.status = 'old'"]),
        "This assumes that every row has shop_order.status = 'old', which the migration filters "
        "by; the share in production is unknown. Take the profile with --shares, or set it with "
        "seed=.",
    ),
    (
        reasons.by_profile("25% of the rows have a.b = None", "deep/membudget.json"),
        "By membudget.json, 25% of the rows have a.b = None.",
    ),
    (reasons.not_measured(BUDGET, "no room"), "shop.0002_it: no room"),
    (reasons.on_rows(sample()), "with 50,000 shop.Order rows"),
]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [*((text, f"shop.0002_it {end}") for text, end in SENTENCES), *OTHER_TEXTS],
)
def test_what_a_reason_says(sentence: str, expected: str) -> None:
    assert sentence == expected


def test_all_are_listed_here() -> None:
    source = inspect.getsource(inspect.getmodule(test_all_are_listed_here))  # type: ignore[arg-type]
    functions = inspect.getmembers(reasons, inspect.isfunction)
    own = {name for name, one in functions if one.__module__ == reasons.__name__}
    public = {name for name in own if not name.startswith("_")}
    assert [name for name in sorted(public) if f"reasons.{name}(" not in source] == []
