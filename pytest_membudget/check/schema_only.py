"""The peak of a migration whose operations tell that it takes no rows into the process.

The states are built by applying each migration to empty tables, so what each takes there is known
without a process of its own.  What ``manage.py migrate`` takes before that is measured once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_membudget.check.dry_run import dry_run
from pytest_membudget.check.early_verdict import (
    EarlyVerdict,
    broke,
    inconclusive,
    near_limit,
    over_limit,
    within_limit,
)
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.errors import ServerError
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.coverage import left_out
from pytest_membudget.judge.growth_fit import REPEATABILITY_OF_CHECKS
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict
from pytest_membudget.processes.messages.orders import MigrationWeight, Weigh
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.sample import Outcome
from pytest_membudget.units import MIB, format_size

if TYPE_CHECKING:
    from pytest_membudget.project.selection import Gated

_DEADLINE = 120.0
_NO_LIMIT = 1 << 62
# With more growth than this it does something, and has to be seen in a process of its own.
_GROWN = 8 * MIB
# What the first operation of a process imports, which the one that builds the states has imported.
_FIRST = 2 * MIB
# What a rendered model takes is some 50 KiB.
_MODEL = 64 * 1024
_MORE_MODELS = 1.25
_FEW_MODELS = 20

Key = tuple[str, str]


def decide(
    plan: CheckPlan, gated: Gated, server: ServerClient, progress: Callable[[str], None]
) -> EarlyVerdict:
    """The verdict of a migration that has a reason to need no rows.  Raises ServerError."""
    progress("applying the migration to empty tables")
    budget = plan.budget
    if gaps := list(left_out(budget)):
        return inconclusive(budget, [], gaps)
    reason = reasons.sentence(budget, gated.skip_reason or "")
    if (known := _without_a_run(plan, gated, server, reason)) is not None:
        return known
    _, sample = dry_run(plan, server, {})
    if over := over_limit(budget, [sample]):
        return over
    if not sample.finished:
        return broke(budget, [sample], sample, empty=True)
    within = within_limit(budget, [sample], 0, reason)
    return within or near_limit(budget, [sample], sample.run.peak)


def _without_a_run(
    plan: CheckPlan, gated: Gated, server: ServerClient, reason: str
) -> EarlyVerdict | None:
    """From what the states took; None where that does not tell enough, as of the way back."""
    if gated.reverse:
        return None
    limit = plan.budget.limit
    mark, after = _mark(plan, gated, server)
    if mark is None:
        return None
    peak = _idle(plan, server, after, mark.models)
    if peak > limit:
        text = reasons.exceeds_with_nothing_to_apply(plan.budget, peak)
        return EarlyVerdict(Judgement(Verdict.EXCEEDS, Basis.MEASURED, text), peak=peak)
    high = (peak + mark.risen + _FIRST) * (1 + REPEATABILITY_OF_CHECKS)
    if mark.grown > _GROWN or high >= limit:
        return near_limit(plan.budget, [], peak) if gated.recorded else None
    rests_on = Finding(
        FindingCode.MEASURED_ON_EMPTY_TABLES,
        f"the peak is the sum of the peak of manage.py migrate with nothing to apply "
        f"({format_size(peak)}) and of what the migration adds on empty tables "
        f"({format_size(mark.grown + _FIRST)})",
    )
    judgement = Judgement(Verdict.WITHIN, Basis.MEASURED, reason)
    return EarlyVerdict(judgement, [], peak + mark.grown + _FIRST, peak, round(high), [rests_on])


def _mark(
    plan: CheckPlan, gated: Gated, server: ServerClient
) -> tuple[MigrationWeight | None, Sequence[Key]]:
    """What applying it took where a state was built, and the migrations applied in that state.

    One that follows it may break, so that only the state right after it can be built.
    """
    keys = [] if gated.recorded else plan.budget.migrations
    near = [*plan.applied, *plan.budget.migrations]
    try:
        return server.call(Weigh(list(keys), list(gated.after))), gated.after
    except ServerError:
        if set(near) == set(gated.after):
            raise
        return server.call(Weigh(list(keys), near)), near


def _idle(plan: CheckPlan, server: ServerClient, after: Sequence[Key], models: int) -> int:
    """The peak of ``manage.py migrate`` with nothing to apply, measured once for some models."""
    if server.idle is None or models > _MORE_MODELS * server.idle[1] + _FEW_MODELS:
        budget = replace(plan.budget, rows={}, seed=None)
        with closing(SeededDatabase(server, budget, list(after))) as seeded:
            name = seeded.take().name
            job = plan.job(seeded, name, deadline=_DEADLINE, stop_above=_NO_LIMIT)
            done = seeded.run(replace(job, targets=[after[-1]], migrations=[after[-1]]))
        if done.outcome != Outcome.FINISHED:
            raise ServerError(
                f"manage.py migrate failed with nothing to apply: {done.failure}", done.details
            )
        server.idle = done.peak, models
    peak, known = server.idle
    return peak + max(0, models - known) * _MODEL
