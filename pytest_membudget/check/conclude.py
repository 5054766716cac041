"""From the evidence and its verdict to the result that every report is a function of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_membudget.check.dry_run import Weighed
from pytest_membudget.finding import Finding
from pytest_membudget.judge.ahead import findings_ahead
from pytest_membudget.judge.estimate import Evidence
from pytest_membudget.judge.findings import about_process, find
from pytest_membudget.judge.matching import values_of
from pytest_membudget.judge.projection import BOUNDED, CONSTANT, Projection
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import ERROR, EXCEEDS, INCONCLUSIVE, MEASURED, Verdict


def conclude(
    evidence: Evidence, nodeid: str, verdict: Verdict, duration: float, details: str
) -> Result:
    """Everything that the reports need, of a check that took ``duration`` seconds."""
    budget, samples, finished = evidence.budget, evidence.samples, evidence.finished
    projection = evidence.projection() if samples else None
    asked = values_of(evidence.forced_values, evidence.literals)
    ladder = evidence.ladder
    projected = ladder.duration(finished, ladder.rows) if finished else None
    answer = _if_each_row_has(asked, verdict)
    return Result(
        nodeid=nodeid,
        migration=budget.label,
        reverse=budget.reverse,
        database=evidence.database,
        rows=budget.rows,
        limit_bytes=budget.limit,
        limit_source=budget.limit_source,
        verdict=answer.verdict,
        basis=answer.basis,
        reason=answer.reason,
        findings=tuple(_findings(evidence, projection, projected, asked)),
        baseline_bytes=samples[0].run.baseline if samples else None,
        time_budget_s=budget.time_budget,
        duration_s=duration,
        projected_duration_s=None if projected is None else round(projected, 3),
        samples=tuple(samples),
        details=details,
        **_peak(evidence, verdict, projection),
    )


def _if_each_row_has(asked: str, verdict: Verdict) -> Verdict:
    """A verdict that holds only if production's rows have what these were seeded with."""
    if not asked or verdict.verdict != EXCEEDS:
        return verdict
    reason = (
        f"{verdict.reason} That is if each row has {asked}, which it filters by; how many have it "
        "in production is not known, and a seed= can say it."
    )
    return replace(verdict, verdict=INCONCLUSIVE, reason=reason)


def _peak(evidence: Evidence, verdict: Verdict, projection: Projection | None) -> dict[str, Any]:
    """The figures of the result that are about its peak; none where it is not known."""
    over = verdict.verdict == EXCEEDS and verdict.basis == MEASURED
    if (
        projection is None
        or verdict.verdict == ERROR
        or (over and not evidence.stands_alone(projection))
    ):
        exceeds = verdict.verdict == EXCEEDS
        return {"peak_bytes": max(one.run.peak for one in evidence.samples) if exceeds else None}
    per_row = None if projection.growth is None else projection.slope / evidence.counted_share
    return {
        "peak_bytes": round(projection.peak),
        "peak_low_bytes": round(projection.low),
        "peak_high_bytes": round(projection.high),
        "anonymous_bytes": _anonymous(evidence, projection),
        "bytes_per_row": None if per_row is None else round(per_row),
        "growth": projection.growth,
        "fits_up_to_rows": evidence.fits(),
    }


def conclude_weighed(evidence: Evidence, nodeid: str, weighed: Weighed, duration: float) -> Result:
    """The result of a check that needed no seeded rows, and took ``duration`` seconds."""
    budget, samples, verdict = evidence.budget, weighed.samples, weighed.verdict
    process = about_process(samples, evidence.database["vendor"]) if samples else ()
    notes = [Finding(*finding) for finding in (*budget.findings, *weighed.findings)]
    return Result(
        nodeid=nodeid,
        migration=budget.label,
        reverse=budget.reverse,
        database=evidence.database,
        rows={},
        limit_bytes=budget.limit,
        limit_source=budget.limit_source,
        verdict=verdict.verdict,
        basis=verdict.basis,
        reason=verdict.reason,
        findings=(*notes, *process),
        peak_bytes=weighed.peak,
        peak_low_bytes=weighed.low,
        peak_high_bytes=weighed.high,
        baseline_bytes=samples[0].run.baseline if samples else None,
        time_budget_s=budget.time_budget,
        duration_s=duration,
        samples=tuple(samples),
        details=weighed.details,
    )


def _anonymous(evidence: Evidence, projection: Projection) -> int | None:
    """Files that are mapped, those of libraries, are the same with any number of rows."""
    run = evidence.finished[-1].run
    return None if run.anonymous is None else round(projection.peak) - run.peak + run.anonymous


def _findings(
    evidence: Evidence,
    projection: Projection | None,
    projected_duration: float | None,
    asked: str,
) -> list[Finding]:
    grows = projection is not None and projection.growth not in (CONSTANT, BOUNDED, None)
    found = find(
        evidence.budget,
        evidence.samples,
        notes=evidence.notes,
        vendor=evidence.database["vendor"],
        touched=evidence.touched_last(),
        unmatched=evidence.unmatched(),
        gaps=evidence.gaps(),
        projected_duration=projected_duration,
        breaks_at=evidence.breaks_at(),
        peaks=evidence.peaks() if evidence.samples else [],
        fits=evidence.fits() if projection is not None else None,
        asked=asked,
    )
    if grows:
        threshold = evidence.counted(evidence.threshold_ahead())
        found += findings_ahead(
            evidence.budget.counted_model, threshold=threshold, cycles=evidence.cycles_add_up()
        )
    return found
