"""The answer to one budget: within, exceeds, inconclusive or error, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.projection import Projection
from pytest_membudget.sample import Outcome, Sample
from pytest_membudget.texts import TextEnum
from pytest_membudget.units import (
    format_interval,
    format_rows,
    format_seconds,
    format_size,
    round_rows_down,
)


class Verdict(TextEnum):
    """Whether the migration fits: each but ``within`` fails the test."""

    WITHIN = "within"
    EXCEEDS = "exceeds"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Basis(TextEnum):
    """What a verdict rests on.

    ``measured``: a sample ran with production's rows, or passed the limit with fewer of them.
    """

    MEASURED = "measured"
    PROJECTED = "projected"


@dataclass(frozen=True)
class Judgement:
    """``reason`` is one sentence or two, fit to be the first line of a failure.

    ``supposed`` is the verdict if each of production's rows has what the migration filters by; it
    differs from ``verdict`` only where that was assumed.
    """

    verdict: Verdict
    basis: Basis | None
    reason: str
    supposed: Verdict | None = None

    @property
    def exceeds(self) -> bool:
        """Whether it would be ``exceeds``, what was assumed being true."""
        return Verdict.EXCEEDS in (self.verdict, self.supposed)

    @property
    def decided(self) -> bool:
        return self.exceeds or self.verdict == Verdict.WITHIN


def judge(
    budget: Budget, samples: Sequence[Sample], estimate: Estimate, coverage: Coverage
) -> Judgement:
    """Hold the samples and what they say against the limit.  This is the only place that does.

    With a gap no verdict is ``within``, and a projection is only believed to exceed where the gaps
    can but add to it.
    """
    found = _judge(budget, samples, estimate, coverage)
    if len(estimate.peaks) > 1 and found.basis is not None:
        found = replace(found, reason=f"{found.reason} {estimate.peaks[0][0]} sets the peak.")
    if coverage.assumed and found.exceeds:
        return replace(
            found,
            verdict=Verdict.INCONCLUSIVE,
            supposed=Verdict.EXCEEDS,
            reason=f"{found.reason} {_assumes(coverage.assumed)}",
        )
    return found


def _judge(
    budget: Budget, samples: Sequence[Sample], estimate: Estimate, coverage: Coverage
) -> Judgement:
    projection, gaps, fits = estimate.projection, coverage.gaps, estimate.fits
    last = samples[-1]
    over = next((sample for sample in samples if sample.run.peak > budget.limit), None)
    if over is not None:
        known = projection if estimate.telling else None
        return Judgement(Verdict.EXCEEDS, Basis.MEASURED, _over(budget, over, known, fits))
    sure = estimate.enough and all(gap.only_adds for gap in gaps)
    if projection is not None and sure and projection.low > budget.limit:
        return Judgement(Verdict.EXCEEDS, Basis.PROJECTED, _peaks(budget, projection, fits))
    broke = last.run.outcome in (Outcome.RAISED, Outcome.KILLED)
    if broke and not last.run.refused:
        return Judgement(Verdict.ERROR, None, _broke(budget, last, samples))
    if projection is None and last.run.outcome == Outcome.TIMED_OUT:
        return Judgement(Verdict.ERROR, None, f"{budget.label} never ended: {last.run.failure}.")
    if gaps:
        return Judgement(Verdict.INCONCLUSIVE, None, f"{budget.label} {gaps[0].sentence}.")
    if projection is None:
        reason = f"{budget.label} could not be judged: {_why(last)}."
        return Judgement(Verdict.INCONCLUSIVE, None, reason)
    breaks_at = estimate.breaks_with
    if breaks_at is not None and not projection.measured:
        reason = _too_many_parameters(budget, breaks_at)
        return Judgement(Verdict.INCONCLUSIVE, Basis.PROJECTED, reason)
    basis = Basis.MEASURED if projection.measured else Basis.PROJECTED
    if projection.high < budget.limit and estimate.enough:
        return Judgement(Verdict.WITHIN, basis, _peaks(budget, projection, fits))
    return Judgement(Verdict.INCONCLUSIVE, basis, _unclear(budget, projection, last))


def _assumes(columns: str) -> str:
    return (
        f"This assumes that every row has {columns}, which the migration filters by; the share in "
        "production is unknown. Use seed= to set it."
    )


def _peaks(budget: Budget, projection: Projection, fits: int | None) -> str:
    verb = "peaked" if projection.measured else "would peak"
    size = format_interval(projection.low, projection.peak, projection.high)
    return (
        f"{budget.label} {verb} at {size} with {_counted(budget)} rows; "
        f"the limit is {format_size(budget.limit)}.{_fits(budget, projection.peak, fits)}"
    )


def _over(budget: Budget, sample: Sample, projection: Projection | None, fits: int | None) -> str:
    if projection is not None:
        return _peaks(budget, projection, fits)
    rows = format_rows(sample.rows[budget.counted_model])
    passed = f"{budget.label} passed the limit of {format_size(budget.limit)} with {rows} of "
    if sample.finished:
        passed = (
            f"{budget.label} peaked at {format_size(sample.run.peak)}, over the limit of "
            f"{format_size(budget.limit)}, with {rows} of "
        )
    return f"{passed}{_counted(budget)} rows.{_fits(budget, sample.run.peak, fits)}"


def _fits(budget: Budget, peak: float, fits: int | None) -> str:
    if fits is None or peak < budget.limit:
        return ""
    if fits == 0:
        return " It does not fit with any number of rows that was tried."
    return f" It fits up to {format_rows(round_rows_down(fits))} rows."


def _broke(budget: Budget, last: Sample, samples: Sequence[Sample]) -> str:
    rows = format_rows(last.rows[budget.counted_model])
    verb = "raised" if last.run.outcome == Outcome.RAISED else "broke"
    text = f"{budget.label} {verb} with {rows} {budget.counted_model} rows: {last.run.failure}"
    worked = [sample for sample in samples if sample.finished]
    if worked:
        text += f" (with {format_rows(worked[-1].rows[budget.counted_model])} rows it worked)"
    return text


def _too_many_parameters(budget: Budget, breaks_at: int) -> str:
    return (
        f"{budget.label} would break with about {format_rows(breaks_at)} {budget.counted_model} "
        "rows: one of its statements has a parameter for each row, and the database takes no more "
        "in a statement."
    )


def _unclear(budget: Budget, projection: Projection, last: Sample) -> str:
    size = format_interval(projection.low, projection.peak, projection.high)
    rows = format_rows(last.rows[budget.counted_model])
    if last.finished and last.crowded:
        measured = f"the largest sample that there was room for had {rows} rows"
    elif last.finished:
        measured = (
            f"the largest sample that {format_seconds(budget.time_budget)} allowed had {rows} rows"
        )
    else:
        measured = f"with {rows} rows {_why(last)}"
    fit = "may or may not fit"
    if projection.high < budget.limit:
        fit = "seems to fit, but there were too few samples to be sure"
    return (
        f"{budget.label} {fit}: it would peak at {size} with {_counted(budget)} rows, "
        f"the limit is {format_size(budget.limit)}, and {measured}."
    )


def _why(sample: Sample) -> str:
    if sample.run.outcome == Outcome.MACHINE_SHORT:
        return f"{sample.run.failure} at {format_size(sample.run.peak)}"
    if sample.run.outcome == Outcome.TIMED_OUT:
        return sample.run.failure
    return "the time budget allowed one sample only"


def _counted(budget: Budget) -> str:
    model = budget.counted_model
    return f"{format_rows(budget.rows[model])} {model}"
