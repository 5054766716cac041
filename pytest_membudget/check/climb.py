"""The loop of one check: a sample, what it says, and how many rows the next one has."""

from __future__ import annotations

import time
from collections.abc import Callable

from pytest_membudget.errors import NoRoom, OutOfTime
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence

# From the evidence so far, a size and the seconds left: the evidence with that sample, and how many
# rows there is room for on the disk.
Measure = Callable[[Evidence, int, float], tuple[Evidence, float]]


def climb(
    evidence: Evidence,
    measure: Measure,
    clock: Callable[[], float] = time.monotonic,
    begin: float | None = None,
) -> Assessment:
    """Take samples until the verdict is certain, or until the time budget is spent.

    ``begin`` is what ``clock`` said when the check began; now, by default.
    """
    begin = clock() if begin is None else begin
    assessment: Assessment | None = None
    size: int | None = evidence.ladder.first()
    while size is not None:
        left = evidence.budget.time_budget - (clock() - begin)
        try:
            evidence, room = measure(evidence, size, left)
        except NoRoom:
            if assessment is not None:
                return assessment
            if size == 1:
                raise
            size = evidence.ladder.half(size)
            continue
        except OutOfTime:
            if assessment is not None:
                return assessment
            raise
        assessment = Assessment(evidence)
        last = evidence.samples[-1]
        if not last.finished or last.run.peak > evidence.budget.limit or evidence.unnamed:
            break
        spent = clock() - begin
        size = evidence.ladder.next(evidence.samples, spent, assessment.outlook, room)
    assert assessment is not None
    return assessment
