"""From an assessment to the result that every report is a function of."""

from __future__ import annotations

from typing import Any

from pytest_membudget.check.dry_run import Weighed
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.figures import MOST_SECONDS
from pytest_membudget.judge.findings import about_process, find
from pytest_membudget.judge.projection import Projection
from pytest_membudget.judge.result import Database, Result, SampleFigures, verified
from pytest_membudget.judge.verdict import Basis, Judgement, Verdict
from pytest_membudget.units import MOST


def conclude(assessment: Assessment, nodeid: str, details: str) -> Result:
    """``details`` is the output behind an error."""
    evidence, duration = assessment.evidence, assessment.estimate.duration
    return verified(
        Result(
            **_common(evidence, nodeid, assessment.judgement),
            rows=evidence.budget.rows,
            findings=tuple(find(assessment)),
            baseline_bytes=evidence.samples[0].run.baseline if evidence.samples else None,
            projected_duration_s=(
                None if duration is None else round(min(duration, MOST_SECONDS), 3)
            ),
            samples=tuple(map(SampleFigures.of, evidence.samples)),
            details=details,
            **_peak(assessment),
        )
    )


def conclude_weighed(evidence: Evidence, nodeid: str, weighed: Weighed) -> Result:
    """The result of a check that needed no seeded rows."""
    samples = weighed.samples
    process = about_process(samples, evidence.database["vendor"]) if samples else ()
    return verified(
        Result(
            **_common(evidence, nodeid, weighed.verdict),
            rows={},
            findings=(*evidence.budget.findings, *weighed.findings, *process),
            peak_bytes=weighed.peak,
            peak_low_bytes=weighed.low,
            peak_high_bytes=weighed.high,
            baseline_bytes=samples[0].run.baseline if samples else None,
            samples=tuple(map(SampleFigures.of, samples)),
            details=weighed.details,
        )
    )


def _common(evidence: Evidence, nodeid: str, judgement: Judgement) -> dict[str, Any]:
    budget = evidence.budget
    return {
        "nodeid": nodeid,
        "migration": budget.label,
        "reverse": budget.reverse,
        "database": Database(**evidence.database),
        "limit_bytes": budget.limit,
        "limit_source": budget.limit_source,
        "verdict": judgement.verdict,
        "basis": judgement.basis,
        "reason": judgement.reason,
        "time_budget_s": budget.time_budget,
        "duration_s": 0.0,
    }


def _peak(assessment: Assessment) -> dict[str, Any]:
    """The figures of the result that are about its peak; none where it is not known."""
    evidence, estimate, judgement = assessment.evidence, assessment.estimate, assessment.judgement
    projection = estimate.projection
    over = judgement.exceeds and judgement.basis == Basis.MEASURED
    if projection is None or judgement.verdict == Verdict.ERROR or (over and not estimate.telling):
        known = judgement.exceeds
        return {"peak_bytes": max(one.run.peak for one in evidence.samples) if known else None}
    grows = projection.growth is not None
    per_row = estimate.scale.per_counted(projection.slope) if grows else None
    return {
        "peak_bytes": _whole(projection.peak),
        "peak_low_bytes": _whole(projection.low),
        "peak_high_bytes": _whole(projection.high),
        "anonymous_bytes": _anonymous(evidence, projection),
        "bytes_per_row": None if per_row is None else _whole(per_row),
        "growth": projection.growth,
        "fits_up_to_rows": estimate.fits,
    }


def _whole(figure: float) -> int:
    """As the JSON may hold it; what is projected may be more than any machine has."""
    return min(MOST, max(0, round(figure)))


def _anonymous(evidence: Evidence, projection: Projection) -> int | None:
    """Files that are mapped, those of libraries, are the same with any number of rows."""
    run = evidence.finished[-1].run
    return None if run.anonymous is None else _whole(projection.peak) - run.peak + run.anonymous
