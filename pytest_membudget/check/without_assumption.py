"""A sample that shows whether a peak has to do with what was assumed of the rows."""

from __future__ import annotations

from contextlib import suppress

from pytest_membudget.check.sampler import Sampler
from pytest_membudget.errors import NoRoom, OutOfTime, ServerError
from pytest_membudget.judge import pace
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.matching import of_all_rows
from pytest_membudget.judge.verdict import Verdict


def without_assumption(assessment: Assessment, sampler: Sampler, left: float) -> Assessment:
    """One of rows that nothing was assumed of, where so many of them pass the limit as well.

    It takes a sample, if the migration loads rows that it does not choose by what was assumed, and
    if there is time for it in the seconds ``left``.
    """
    evidence, crossing = assessment.evidence, assessment.estimate.limit_passed_at
    judgement = assessment.judgement
    exceeds = judgement.supposed == Verdict.EXCEEDS and judgement.of_peak
    if not exceeds or crossing is None or not evidence.finished or not _loads_others(evidence):
        return assessment
    size = evidence.ladder.rows
    while pace.seconds(evidence.finished, size) > left:
        size = evidence.ladder.half(size)
        if size < crossing:
            return assessment
    with suppress(ServerError, NoRoom, OutOfTime):
        return Assessment(sampler.assume_nothing(size, left))
    return assessment


def _loads_others(evidence: Evidence) -> bool:
    """Whether a statement loads rows that it chooses by none of the columns that were forced."""
    forced = of_all_rows(evidence.forced_values, evidence.shares)
    return any(
        one.chosen.isdisjoint(forced.get(one.table, ()))
        for one in evidence.finished[-1].run.selections
    )
