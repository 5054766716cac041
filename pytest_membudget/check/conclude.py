"""From an assessment to the result that every report is a function of."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isinf
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.check.early_verdict import EarlyVerdict
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.curves import highest_of_each
from pytest_membudget.judge.duration import Duration
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.figures import MOST_SECONDS
from pytest_membudget.judge.findings import find, set_by, with_gaps
from pytest_membudget.judge.limited_figure import limited
from pytest_membudget.judge.process_findings import about_process, rows_of_receivers
from pytest_membudget.judge.result import Result, SampleFigures, verified
from pytest_membudget.judge.server_memory import ServerMemory
from pytest_membudget.judge.tables import tables_of
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict, with_other_limits
from pytest_membudget.sample import Sample
from pytest_membudget.units import MOST


def conclude(assessment: Assessment, nodeid: str, details: str) -> Result:
    """``details`` is the output behind an error."""
    evidence, estimate = assessment.evidence, assessment.estimate
    return _result(
        evidence,
        assessment.judgement,
        evidence.samples,
        nodeid=nodeid,
        rows=evidence.budget.rows,
        findings=(*find(assessment), *_measured_here(evidence.budget)),
        details=details,
        **_peak(assessment),
        **_duration(estimate.duration),
        **_server_memory(estimate.server_memory),
    )


def conclude_early(evidence: Evidence, nodeid: str, early: EarlyVerdict) -> Result:
    """The result of a check that needed no seeded rows."""
    process = about_process(early.samples, evidence.database.vendor) if early.samples else ()
    # Those of dry runs tell the other figures only where no more rows matter to these.
    tells = early.judgement.verdict == Verdict.WITHIN and evidence.budget.depends_on_tables
    of_runs = replace(evidence, samples=tuple(early.samples) if tells else ())
    duration, server_memory = Duration(of_runs), ServerMemory(of_runs)
    limits = limited(duration, server_memory) if of_runs.samples else []
    found = [*evidence.budget.findings, *evidence.notes, *early.findings, *process]
    if len(peaks := highest_of_each(early.samples[-1:])) > 1:
        found.append(set_by(peaks, "peaked with few rows or none"))
    return _result(
        evidence,
        with_other_limits(early.judgement, limits),
        early.samples,
        nodeid=nodeid,
        rows={},
        findings=tuple(with_gaps(found, early.gaps)),
        peak_bytes=early.peak,
        peak_low_bytes=early.low,
        peak_high_bytes=early.high,
        details=early.details,
        **_duration(duration),
        **_server_memory(server_memory),
    )


def _measured_here(budget: Budget) -> Iterator[Finding]:
    """What the durations are those of, where they have a limit."""
    if budget.max_duration is not None:
        cores = len(os.sched_getaffinity(0))
        speed = f"{budget.speed:g} times as fast" if budget.speed != 1 else "as fast"
        yield Finding(
            FindingCode.MEASURED_HERE,
            f"the duration was measured on this machine, {cores} cores ({platform.machine()}), and "
            f"production is taken to be {speed}; membudget_speed says how fast it is",
        )


def _result(
    evidence: Evidence, judgement: Judgement, samples: Sequence[Sample], **figures: Any
) -> Result:
    budget, reason = evidence.budget, judgement.reason
    unseen = rows_of_receivers(samples, evidence.tables.values())
    if unseen and judgement.verdict == Verdict.WITHIN:
        reason = f"{reason} {reasons.without_rows(sorted(unseen))}"
    result = Result(
        migration=budget.label,
        migrations=tuple(map(".".join, budget.migrations)),
        reverse=budget.reverse,
        seed=budget.seed,
        grow=budget.grow,
        database=evidence.database,
        limit_bytes=budget.limit,
        limit_source=budget.limit_source,
        max_duration_s=budget.max_duration,
        limit_server_bytes=budget.limit_server,
        speed=budget.speed,
        verdict=judgement.verdict,
        basis=judgement.basis,
        reason=reason,
        time_budget_s=budget.time_budget,
        baseline_bytes=samples[0].run.baseline if samples else None,
        tables=tables_of(evidence, samples[-1]) if samples else (),
        samples=tuple(map(SampleFigures.of, samples)),
        **figures,
    )
    return verified(result)


def _peak(assessment: Assessment) -> dict[str, Any]:
    """The figures of the result that are about its peak; none where it is not known."""
    evidence, estimate, judgement = assessment.evidence, assessment.estimate, assessment.judgement
    projection = estimate.projection
    over = judgement.exceeds and judgement.of_peak and judgement.basis == Basis.MEASURED
    if projection is None or judgement.verdict == Verdict.ERROR or (over and not estimate.telling):
        known = judgement.exceeds
        return {"peak_bytes": max(one.run.peak for one in evidence.samples) if known else None}
    grows = projection.growth is not None
    per_row = projection.slope / evidence.budget.share if grows else None
    run, peak = evidence.finished[-1].run, _whole(projection.value)
    fits = [estimate.fits, *(one.fits for one in estimate.limited)]
    # Files that are mapped, those of libraries, are the same with any number of rows.
    files = None if run.anonymous is None else run.peak - run.anonymous
    return {
        "peak_bytes": peak,
        "peak_low_bytes": _whole(projection.low),
        "peak_high_bytes": _whole(projection.high),
        "anonymous_bytes": None if files is None else peak - files,
        "bytes_per_row": None if per_row is None else _whole(per_row),
        "growth": projection.growth,
        "fits_up_to_rows": min((one for one in fits if one is not None), default=None),
    }


def _duration(duration: Duration) -> dict[str, Any]:
    """The figures of the result that are about its duration."""
    found = duration.projection
    if found is None:
        return {}
    figures = {"": found.value, "low_": found.low, "high_": found.high}
    return {
        f"projected_duration_{name}s": None if isinf(one) else round(min(one, MOST_SECONDS), 3)
        for name, one in figures.items()
    }


def _server_memory(memory: ServerMemory) -> dict[str, Any]:
    """The figures of the result that are about the memory of the server."""
    found = memory.projection
    if found is None:
        return {"server_peak_bytes": memory.most_seen}
    return {
        "server_peak_bytes": _whole(found.value),
        "server_peak_low_bytes": _whole(found.low),
        "server_peak_high_bytes": _whole(found.high),
    }


def _whole(figure: float) -> int:
    """As the JSON may hold it; what is projected may be more than any machine has."""
    return min(MOST, max(0, round(figure)))
