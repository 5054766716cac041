"""The peak of a migration whose operations tell that it takes no rows into the process.

The states are built by applying each migration to empty tables, so what each takes there is known
without a process of its own.  What ``manage.py migrate`` weighs before that is measured once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_membudget.coverage import left_out
from pytest_membudget.dry_run import (
    NO_LIMIT,
    Weighed,
    dry_run,
    near_limit,
    over_limit,
    within_limit,
)
from pytest_membudget.errors import StageError
from pytest_membudget.measurement import FINISHED
from pytest_membudget.projection import MIB, REPEATABILITY_OF_CHECKS
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.subject import Subject
from pytest_membudget.units import format_size
from pytest_membudget.verdict import ERROR, EXCEEDS, INCONCLUSIVE, MEASURED, WITHIN, Verdict
from pytest_membudget.worker.launcher import run
from pytest_membudget.worker.stage_client import StageClient

_DEADLINE = 120.0
# With more growth than this it does something, and has to be seen in a process of its own.
_GROWN = 8 * MIB
# What the first operation of a process imports, which the one that builds the states has imported.
_FIRST = 2 * MIB
# What a rendered model takes is some 50 KiB.
_MODEL = 64 * 1024
_MORE_MODELS = 1.25
_FEW_MODELS = 20

Key = tuple[str, str]


def weigh(subject: Subject, stage: StageClient, progress: Callable[[str], None]) -> Weighed:
    """The verdict of a migration that is told apart.  Raises StageError."""
    progress("applying it to empty tables")
    reason = f"{subject.budget.label} {subject.told_apart}."
    if gap := next(left_out(subject.budget), None):
        verdict = Verdict(INCONCLUSIVE, None, f"{subject.budget.label} {gap.sentence}.")
        return Weighed(verdict)
    if (known := _without_a_run(subject, stage, reason)) is not None:
        return known
    sample = dry_run(subject, stage, {}, {})
    if over := over_limit(subject, [sample]):
        return over
    if not sample.finished:
        broke = f"{subject.budget.label} broke on empty tables: {sample.run.failure}"
        return Weighed(Verdict(ERROR, None, broke), [sample], details=sample.run.details)
    return within_limit(subject, [sample], 0, reason) or near_limit(
        subject, sample.run.peak, [sample]
    )


def _without_a_run(subject: Subject, stage: StageClient, reason: str) -> Weighed | None:
    """From its mark; None where that does not tell enough."""
    label, limit = subject.budget.label, subject.budget.limit
    mark, after = _mark(subject, stage)
    if mark is None:
        return None
    peak = _idle(subject, stage, after, mark["models"])
    if peak > limit:
        text = (
            f"{label} can't fit: manage.py migrate peaks at {format_size(peak)} with nothing to "
            f"apply, and the limit is {format_size(limit)}."
        )
        return Weighed(Verdict(EXCEEDS, MEASURED, text), peak=peak)
    high = (peak + mark["risen"] + _FIRST) * (1 + REPEATABILITY_OF_CHECKS)
    if mark["grown"] > _GROWN or high >= limit:
        return near_limit(subject, peak, []) if subject.recorded else None
    rests_on = (
        "measured-on-empty-tables",
        f"its peak is what manage.py migrate takes with nothing to apply, {format_size(peak)}, and "
        f"what applying it to empty tables added, {format_size(mark['grown'] + _FIRST)}",
    )
    return Weighed(
        Verdict(WITHIN, MEASURED, reason),
        peak=peak + mark["grown"] + _FIRST,
        low=peak,
        high=round(high),
        findings=[rests_on],
    )


def _mark(subject: Subject, stage: StageClient) -> tuple[dict[str, int] | None, Sequence[Key]]:
    """What applying it took where a state was built, and the migrations applied in that state.

    One that follows it may break, so that only the state right after it can be built.
    """
    keys = [] if subject.recorded else subject.budget.migrations
    near = [*subject.applied, *subject.budget.migrations]
    try:
        return stage.call("weigh", migrations=keys, after=subject.after), subject.after
    except StageError:
        if set(near) == set(subject.after):
            raise
        return stage.call("weigh", migrations=keys, after=near), near


def _idle(subject: Subject, stage: StageClient, after: Sequence[Key], models: int) -> int:
    """The peak of ``manage.py migrate`` with nothing to apply, measured once for some models."""
    if stage.idle is None or models > _MORE_MODELS * stage.idle[1] + _FEW_MODELS:
        bed = Seedbed(stage, replace(subject.budget, rows={}, seed=None), list(after))
        try:
            order = subject.order(bed, bed.clone(), deadline=_DEADLINE, stop_above=NO_LIMIT)
            done = run(replace(order, targets=[after[-1]], migrations=[after[-1]]))
        finally:
            bed.close()
        if done.outcome != FINISHED:
            raise StageError(
                f"manage.py migrate broke with nothing to apply: {done.failure}", done.details
            )
        stage.idle = done.peak, models
    peak, known = stage.idle
    return peak + max(0, models - known) * _MODEL
