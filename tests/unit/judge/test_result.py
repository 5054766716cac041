"""What a result promises, whatever the samples were."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from results import MIB, passing

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.conclude import conclude
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Database, Evidence
from pytest_membudget.judge.figures import MOST_SECONDS
from pytest_membudget.judge.gap import unnamed_table
from pytest_membudget.judge.result import Result, verified
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.units import MOST

ROWS = 800_000
TABLE = "shop_order"
DATABASE = Database("default", "sqlite", "3")


@pytest.mark.parametrize(
    "changes",
    [
        {"peak_bytes": None},
        {"basis": None},
        {"peak_bytes": 512 * MIB},
        {"peak_high_bytes": 512 * MIB},
        {"max_duration_s": 60.0},
        {"max_duration_s": 60.0, "projected_duration_high_s": 61.0},
        {"limit_server_bytes": 512 * MIB},
        {"limit_server_bytes": 512 * MIB, "server_peak_high_bytes": 512 * MIB},
    ],
)
def test_nothing_is_within_without_a_peak_under_the_limit(changes: dict[str, Any]) -> None:
    figures = {"basis": "measured", "peak_low_bytes": None, "peak_high_bytes": None, **changes}
    verified(passing())
    verified(passing(**figures, verdict="inconclusive"))
    with pytest.raises(ValueError, match=r"shop\.0003_stream has the verdict within, but"):
        verified(passing(**figures))


def evidence(dice: random.Random) -> Evidence:
    """Samples as a check may leave them behind: of any growth, cut short in any way."""
    samples: list[Sample] = []
    slope, power = dice.choice([0, 10, 500, 5_000]), dice.choice([0.5, 1, 1, 1, 1.5, 2])
    sizes = [ROWS >> exponent for exponent in range(9, -1, -1)][: dice.randint(1, 10)]
    touched = dice.choice([0, 0.05, 0.5, 1])
    for size in sizes:
        last = size == sizes[-1]
        outcome = dice.choice([Outcome.FINISHED, *Outcome]) if last else Outcome.FINISHED
        peak = 45 * MIB + slope * (size / 1_000) ** power * 1_000 + dice.uniform(0, MIB)
        run = Run(
            outcome,
            round(peak),
            baseline=dice.choice([None, 40 * MIB]),
            duration=size * 1e-5,
            read={TABLE: round(size * touched)} if touched else {},
            filters=dice.choice([{}, {TABLE: {"price": []}}]),
        )
        samples.append(Sample({"shop.Order": size}, run))
    highest = max(sample.run.peak for sample in samples)
    limit = round(dice.choice([highest, 100 * MIB, 1024 * MIB]) * dice.uniform(0.5, 2))
    most = dice.choice([None, None, 1, 8, 100])
    return Evidence(
        Budget(
            (("shop", "0002_it"),), {"shop.Order": ROWS}, limit, "the marker", max_duration=most
        ),
        dice.random() < 0.7,
        database=DATABASE,
        tables={"shop.Order": TABLE},
        samples=tuple(samples),
        unnamed=(unnamed_table("shop.Line", None),) if dice.random() < 0.1 else (),
    )


def test_figures_beyond_any_machine_are_written_and_read() -> None:
    budget = Budget((("shop", "0002_it"),), {"shop.Order": 10**15}, MOST, "the marker")
    found = Evidence(budget, False, database=DATABASE)
    for rows in (1_000, 2_000, 4_000, 8_000):
        run = Run(Outcome.FINISHED, round(rows**1.9 * 1_000), duration=(rows / 1_000) ** 9)
        found = found.with_sample(Sample({"shop.Order": rows}, run))
    result = conclude(Assessment(found), "nodeid", "")
    assert result.projected_duration_s == MOST_SECONDS
    assert result.peak_high_bytes == MOST
    assert Result.from_dict(result.to_dict()) == result


def test_every_conclusion_keeps_the_promise() -> None:
    """One that is ``within`` is never so of an unfinished largest sample, a gap, or no peak."""
    seen = set()
    for number in range(3_000):
        found = Assessment(evidence(random.Random(number)))
        result = conclude(found, "nodeid", "")
        seen.add((result.verdict, result.basis))
        assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result
        if result.verdict == Verdict.WITHIN:
            assert result.peak_bytes is not None
            assert result.peak_bytes >= max(sample.run.peak for sample in found.evidence.samples)
            assert result.peak_high_bytes is not None
            assert result.peak_high_bytes < result.limit_bytes
            assert not found.coverage.gaps
            longest = result.projected_duration_high_s
            assert result.max_duration_s is None or (longest or 1e9) < result.max_duration_s
        elif result.verdict == Verdict.EXCEEDS and not found.judgement.of_peak:
            slow = [one.duration_s for one in result.samples]
            assert max(*slow, result.projected_duration_low_s or 0) > (result.max_duration_s or 1e9)
        elif result.verdict == Verdict.EXCEEDS:
            assert result.peak_bytes is not None
            assert result.peak_bytes > result.limit_bytes
    assert {
        (Verdict.WITHIN, Basis.MEASURED),
        (Verdict.WITHIN, Basis.PROJECTED),
        (Verdict.EXCEEDS, Basis.MEASURED),
    } <= seen
