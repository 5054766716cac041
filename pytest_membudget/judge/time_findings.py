"""What the reader of a verdict should know about how long the samples took, and why."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.sample import Outcome
from pytest_membudget.units import format_rows, format_seconds


def about_time(estimate: Estimate) -> Iterator[Finding]:
    evidence, budget = estimate.evidence, estimate.evidence.budget
    last, worked = evidence.samples[-1], evidence.finished
    if worked and last.run.outcome in (Outcome.RAISED, Outcome.KILLED):
        yield Finding(
            FindingCode.BROKE_AT_SCALE,
            f"the migration succeeds with {budget.counted(worked[-1].rows)} rows and fails with "
            f"{format_rows(last.rows[budget.counted_model])}: {last.run.failure}",
        )
    # The first that was stopped; samples of fewer rows may have followed.
    stopped = {one.run.outcome: one for one in reversed(evidence.samples)}
    if late := stopped.get(Outcome.TIMED_OUT):
        text = f"with {format_rows(late.size)} rows {late.run.failure}"
        yield Finding(FindingCode.TIMED_OUT, text)
    if short := stopped.get(Outcome.MACHINE_SHORT):
        yield Finding(FindingCode.MACHINE_SHORT, f"a sample was stopped: {short.run.failure}")
    if each := estimate.duration.for_each_row:
        texts = (
            f"{shorten(text, 200, placeholder=' …')} ({times:.3g} a row)"
            for text, times in each.items()
        )
        largest = max(budget.rows, key=lambda label: budget.rows[label])
        yield Finding(
            FindingCode.STATEMENTS_PER_ROW,
            f"the migration sends {sum(each.values()):.3g} statements for each {largest} row: "
            f"{'; '.join(texts)}",
        )
    duration = estimate.duration.projection
    if duration is not None and estimate.duration.slows_down:
        yield Finding(
            FindingCode.TIME_SUPERLINEAR,
            "the duration grows faster than the row count: about "
            f"{format_seconds(duration.value)} at production's row count",
        )
