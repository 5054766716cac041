"""Runs over empty tables or a few rows, and the verdicts that need no more than these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.coverage import gaps_of_runs
from pytest_membudget.judge.curves import noise_of
from pytest_membudget.judge.projection import REPEATABILITY_OF_CHECKS
from pytest_membudget.judge.unlogged import has_own_sessions
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict
from pytest_membudget.processes.messages.orders import TableModel
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.sample import ForcedValues, Sample
from pytest_membudget.units import format_size

NO_LIMIT = 1 << 62
_DEADLINE = 30.0


@dataclass(frozen=True)
class Weighed:
    """A verdict that no larger samples are needed for, and the figures that it rests on.

    ``peak``, ``low`` and ``high`` are bytes, None where nothing was measured; ``details``
    is the output behind an error.
    """

    verdict: Judgement
    samples: Sequence[Sample] = ()
    peak: int | None = None
    low: int | None = None
    high: int | None = None
    findings: Sequence[Finding] = ()
    details: str = ""


def dry_run(
    plan: CheckPlan,
    server: ServerClient,
    tables: Mapping[str, TableModel],
    few: Mapping[str, int],
    forced_values: ForcedValues | None = None,
) -> Sample:
    """Apply it to ``few`` rows by table; ``tables`` are the models of the state before it."""
    rows = {tables[table].label: few[table] for table in sorted(few)}
    seeded = SeededDatabase(server, replace(plan.budget, rows=rows, seed=None), plan.applied)
    try:
        if forced_values:
            seeded.force_values(forced_values)
        if rows:
            seeded.fill(max(rows.values()))
        deadline = max(_DEADLINE, plan.budget.time_budget)
        name = seeded.clone()
        job = plan.job(seeded, name, deadline=deadline, stop_above=plan.stop_above)
        uniques = {table: one.uniques for table, one in tables.items()}
        done = run(replace(job, tables=uniques))
        own = has_own_sessions(seeded.activity(name), done)
        return Sample(rows, replace(done, facts=replace(done.facts, own_sessions=own)))
    finally:
        seeded.close()


def over_limit(plan: CheckPlan, samples: Sequence[Sample]) -> Weighed | None:
    """The verdict where one of the runs has passed the limit; None where none has."""
    limit = plan.budget.limit
    over = next((sample for sample in samples if sample.run.peak > limit), None)
    if over is None:
        return None
    reason = reasons.passed_limit_on_few_rows(plan.budget, over)
    return Weighed(Judgement(Verdict.EXCEEDS, Basis.MEASURED, reason), samples, over.run.peak)


def within_limit(
    plan: CheckPlan, samples: Sequence[Sample], most: float, reason: str
) -> Weighed | None:
    """The verdict where all of them, and ``most`` bytes, are under the limit; else None.

    What they leave unseen makes it inconclusive.
    """
    if unseen := not_seen(plan, samples):
        return unseen
    peak = max(sample.run.peak for sample in samples)
    spread = max(2 * noise_of(samples), REPEATABILITY_OF_CHECKS * peak)
    high = max(most, peak + spread)
    if high >= plan.budget.limit:
        return None
    highest = max(samples, key=lambda sample: sample.run.peak)
    rests_on = Finding(
        FindingCode.MEASURED_ON_FEW_ROWS,
        f"the peak of {format_size(peak)} was measured {reasons.on_rows(highest)}, not with "
        "production's row count",
    )
    return Weighed(
        Judgement(Verdict.WITHIN, Basis.MEASURED, reason),
        samples,
        peak,
        round(peak - spread),
        round(high),
        [rests_on],
    )


def not_seen(plan: CheckPlan, samples: Sequence[Sample]) -> Weighed | None:
    """The verdict where something that it does was not seen; None where all was."""
    found = gaps_of_runs(plan.budget, samples)
    if not found:
        return None
    reason = reasons.unseen(plan.budget, found[0])
    findings = [Finding(gap.code, gap.sentence) for gap in found]
    return Weighed(Judgement(Verdict.INCONCLUSIVE, None, reason), samples, findings=findings)


def near_limit(plan: CheckPlan, peak: int, samples: Sequence[Sample]) -> Weighed:
    """The verdict where the peak is under the limit, and by too little to be sure."""
    reason = reasons.near_limit(plan.budget, peak)
    return Weighed(Judgement(Verdict.INCONCLUSIVE, Basis.MEASURED, reason), samples, peak)
