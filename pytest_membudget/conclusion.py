"""From the evidence and its verdict to the result that every report is a function of."""

from __future__ import annotations

from dataclasses import replace

from pytest_membudget.ahead import findings_ahead
from pytest_membudget.evidence import Evidence
from pytest_membudget.findings import Finding, find
from pytest_membudget.matching import values_of
from pytest_membudget.projection import BOUNDED, CONSTANT, Projection
from pytest_membudget.result import Result
from pytest_membudget.verdict import ERROR, EXCEEDS, INCONCLUSIVE, MEASURED, Verdict


def conclude(
    evidence: Evidence, nodeid: str, verdict: Verdict, duration: float, details: str
) -> Result:
    """Everything that the reports need, of a check that took ``duration`` seconds."""
    budget, samples, finished = evidence.budget, evidence.samples, evidence.finished
    projection = evidence.projection() if samples else None
    ladder = evidence.ladder
    projected = ladder.duration(finished, ladder.rows) if finished else None
    seen = max(sample.run.peak for sample in samples) if verdict.verdict == EXCEEDS else None
    result = Result(
        nodeid=nodeid,
        migration=budget.label,
        reverse=budget.reverse,
        database=evidence.database,
        rows=budget.rows,
        limit_bytes=budget.limit,
        limit_source=budget.limit_source,
        verdict=verdict.verdict,
        basis=verdict.basis,
        reason=verdict.reason,
        findings=tuple(_findings(evidence, projection, projected)),
        peak_bytes=seen,
        baseline_bytes=samples[0].run.baseline if samples else None,
        time_budget_s=budget.time_budget,
        duration_s=duration,
        projected_duration_s=None if projected is None else round(projected, 3),
        samples=tuple(samples),
        details=details,
    )
    asked = values_of(evidence.fresh)
    if asked and verdict.verdict == EXCEEDS:
        reason = (
            f"{verdict.reason} That is if each row has {asked}, which it filters by; how many have "
            "it in production is not known, and a seed= can say it."
        )
        result = replace(result, verdict=INCONCLUSIVE, reason=reason)
    over = verdict.verdict == EXCEEDS and verdict.basis == MEASURED
    if (
        projection is None
        or verdict.verdict == ERROR
        or (over and not evidence.stands_alone(projection))
    ):
        return result
    per_row = None if projection.growth is None else projection.slope / evidence.counted_share
    return replace(
        result,
        peak_bytes=round(projection.peak),
        peak_low_bytes=round(projection.low),
        peak_high_bytes=round(projection.high),
        anonymous_bytes=_anonymous(evidence, projection),
        bytes_per_row=None if per_row is None else round(per_row),
        growth=projection.growth,
        fits_up_to_rows=evidence.fits(),
    )


def _anonymous(evidence: Evidence, projection: Projection) -> int | None:
    """Files that are mapped, those of libraries, are the same with any number of rows."""
    run = evidence.finished[-1].run
    return None if run.anonymous is None else round(projection.peak) - run.peak + run.anonymous


def _findings(
    evidence: Evidence, projection: Projection | None, projected_duration: float | None
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
    )
    if grows:
        threshold = evidence.counted(evidence.threshold_ahead())
        found += findings_ahead(
            evidence.budget.counted_model, threshold=threshold, cycles=evidence.cycles_add_up()
        )
    return found
