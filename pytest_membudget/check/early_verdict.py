"""Verdicts that are decided without samples: from dry runs, or from how the states are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.curves import noise_of
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.growth_fit import REPEATABILITY_OF_CHECKS
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_size


@dataclass(frozen=True)
class EarlyVerdict:
    """A verdict that no seeded samples are needed for, and the figures that it rests on.

    ``samples`` are dry runs.  ``peak``, ``low`` and ``high`` are bytes, None where nothing was
    measured; ``details`` is the output behind an error.
    """

    judgement: Judgement
    samples: Sequence[Sample] = ()
    peak: int | None = None
    low: int | None = None
    high: int | None = None
    findings: Sequence[Finding] = ()
    gaps: Sequence[Gap] = ()
    details: str = ""


def over_limit(budget: Budget, samples: Sequence[Sample]) -> EarlyVerdict | None:
    """The verdict where one of the runs has passed the limit; None where none has."""
    over = next((sample for sample in samples if sample.run.peak > budget.limit), None)
    if over is None:
        return None
    reason = reasons.passed_limit_on_few_rows(budget, over)
    return EarlyVerdict(Judgement(Verdict.EXCEEDS, Basis.MEASURED, reason), samples, over.run.peak)


def within_limit(
    budget: Budget, samples: Sequence[Sample], most: float, reason: str
) -> EarlyVerdict | None:
    """The verdict where all of them, and ``most`` bytes, are under the limit; else None.

    What they leave unseen makes it inconclusive.
    """
    if gaps := unseen_by(budget, samples):
        return inconclusive(budget, samples, gaps)
    highest = max(samples, key=lambda sample: sample.run.peak)
    peak = highest.run.peak
    spread = max(2 * noise_of(samples), REPEATABILITY_OF_CHECKS * peak)
    high = max(most, peak + spread)
    if high >= budget.limit:
        return None
    rests_on = Finding(
        FindingCode.MEASURED_ON_FEW_ROWS,
        f"the peak of {format_size(peak)} was measured {reasons.on_rows(highest)}, not with "
        "production's row count",
    )
    judgement = Judgement(Verdict.WITHIN, Basis.MEASURED, reason)
    return EarlyVerdict(judgement, samples, peak, round(peak - spread), round(high), [rests_on])


def unseen_by(budget: Budget, samples: Sequence[Sample]) -> Sequence[Gap]:
    """What dry runs leave unseen."""
    return Coverage(Evidence(budget, touches_rows=False, samples=tuple(samples))).gaps


def inconclusive(budget: Budget, samples: Sequence[Sample], gaps: Sequence[Gap]) -> EarlyVerdict:
    """The verdict where something that the migration does was not seen."""
    reason = reasons.sentence(budget, gaps[0].sentence, gaps[0].migration)
    return EarlyVerdict(Judgement(Verdict.INCONCLUSIVE, None, reason), samples, gaps=gaps)


def near_limit(budget: Budget, samples: Sequence[Sample], peak: int) -> EarlyVerdict:
    """The verdict where the peak is under the limit, and by too little to be sure."""
    judgement = Judgement(Verdict.INCONCLUSIVE, Basis.MEASURED, reasons.near_limit(budget, peak))
    return EarlyVerdict(judgement, samples, peak)


def broke(budget: Budget, samples: Sequence[Sample], last: Sample, *, empty: bool) -> EarlyVerdict:
    """The verdict where the dry run ``last`` raised or was killed."""
    reason = reasons.broke_on_few_rows(budget, last.run, empty=empty)
    return EarlyVerdict(Judgement(Verdict.ERROR, None, reason), samples, details=last.run.details)
