"""The loop of one check: a sample, what it says, and how many rows the next one has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pytest_membudget.errors import NoRoom, OutOfBudget, OutOfTime
from pytest_membudget.judge import pace
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.sample import Outcome

_MAY_END_WITH_FEWER = (Outcome.FINISHED, Outcome.TIMED_OUT, Outcome.MACHINE_SHORT)

# From the evidence so far, a size and the seconds left: the evidence with that sample, and how many
# rows there is room for on the disk.
Measure = Callable[[Evidence, int, float], tuple[Evidence, float]]


# From the seconds left: the evidence with what the largest sample holds that is no garbage.
Collect = Callable[[float], Evidence]


def climb(
    evidence: Evidence,
    measure: Measure,
    spent: Callable[[], float],
    collect: Collect | None = None,
) -> Assessment:
    """Take samples until the verdict is certain, or until the time budget is spent.

    ``spent`` tells the seconds since the check began.  To ``collect`` garbage is quicker than a
    larger sample, so that comes first where it may decide the verdict.
    """
    assessment: Assessment | None = None
    size: int | None = evidence.ladder.first()
    while size is not None:
        outlook = None if assessment is None else assessment.outlook
        left = evidence.ladder.for_samples(outlook) - spent()
        try:
            if not evidence.ladder.has_time(left):
                raise OutOfBudget("no time is left for a sample")
            deadline = evidence.ladder.deadline(evidence.finished, left)
            evidence, room = measure(evidence, size, deadline)
        except (NoRoom, OutOfTime) as error:
            if assessment is not None:
                return assessment
            if size == 1 or not isinstance(error, NoRoom):
                raise
            size = evidence.ladder.half(size)
            continue
        assessment = Assessment(evidence)
        last = evidence.samples[-1].run
        over = last.peak > evidence.budget.limit
        alone = len(evidence.budget.migrations) == 1
        if over or (evidence.unnamed and alone) or last.outcome not in _MAY_END_WITH_FEWER:
            break
        if len(evidence.finished) > 1 and evidence.settled and assessment.judgement.decided:
            break
        left = evidence.ladder.for_samples(assessment.outlook) - spent()
        if collect and assessment.depends_on_garbage and pace.again(evidence.finished[-1]) < left:
            with suppress(NoRoom, OutOfTime):
                evidence = collect(left)
                assessment = Assessment(evidence)
            collect = None
        size = evidence.ladder.next(evidence.samples, spent(), assessment.outlook, room)
    assert assessment is not None
    return assessment
