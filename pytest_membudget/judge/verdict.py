"""The verdict on one budget: within, exceeds, inconclusive or error, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_membudget.judge import figure_reasons, reasons
from pytest_membudget.judge.asked_rows import assumptions, stated
from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.limited_figure import LimitedFigure
from pytest_membudget.sample import Outcome
from pytest_membudget.texts import TextEnum

# A sample that was stopped after a smaller share of the time budget may well have ended.
_FAIR_SHARE = 0.4
_SAMPLES = 4


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
    differs from ``verdict`` only where that was assumed.  ``of_peak`` says that the peak is what it
    is about, not another figure that has a limit.
    """

    verdict: Verdict
    basis: Basis | None
    reason: str
    supposed: Verdict | None = None
    of_peak: bool = True

    @property
    def exceeds(self) -> bool:
        """Whether it would be ``exceeds``, what was assumed being true."""
        return Verdict.EXCEEDS in (self.verdict, self.supposed)

    @property
    def decided(self) -> bool:
        return self.exceeds or self.verdict == Verdict.WITHIN


def judge(evidence: Evidence, estimate: Estimate, coverage: Coverage) -> Judgement:
    """Compare the samples, and the estimate made of them, with the limits: only here.

    With a gap no verdict is ``within``, and a projection is only believed to exceed where the gaps
    can but add to it.
    """
    found = _of_peak(evidence, estimate, coverage)
    highest = estimate.peaks[0][0] if len(estimate.peaks) > 1 else evidence.budget.label
    if highest != evidence.budget.label and found.basis is not None:
        found = replace(found, reason=f"{found.reason} {reasons.sets_peak(highest)}")
    if estimate.limited:
        certain = all(gap.only_adds for gap in coverage.gaps)
        found = with_other_limits(found, estimate.limited, estimate.next_larger, certain=certain)
    if found.basis is not None and (shares := stated(evidence)):
        told = reasons.by_profile(shares, evidence.production.profile)
        found = replace(found, reason=f"{found.reason} {told}")
    stopped = any(one.run.outcome == Outcome.TIMED_OUT for one in evidence.samples)
    slow = stopped or estimate.duration.slows_down
    duration = estimate.duration.projection
    said = not found.of_peak or (found.verdict == Verdict.WITHIN and estimate.duration.limit)
    if found.basis is not None and slow and duration is not None and not said:
        found = replace(found, reason=f"{found.reason} {reasons.takes(duration)}")
    assumed = list(assumptions(evidence))
    if assumed and found.exceeds:
        found = replace(found, verdict=Verdict.INCONCLUSIVE, supposed=Verdict.EXCEEDS)
    # Where the samples alone would decide, it is what they have in place of production's rows.
    unsure = found.verdict == Verdict.INCONCLUSIVE and found.basis is not None
    if assumed and (found.exceeds or (unsure and estimate.sure_of_samples)):
        return replace(found, reason=f"{found.reason} {reasons.assumes(assumed)}")
    return found


def out_of_time(evidence: Evidence) -> Judgement:
    """The verdict where too little time was left to see whether the migration ends."""
    seconds = [one.run.duration + one.seed_seconds for one in evidence.samples]
    each = max([evidence.startup, *seconds])
    budget = evidence.budget
    before = evidence.before or budget.time_budget
    needed = max(2 * budget.time_budget, before + _SAMPLES * each)
    reason = reasons.out_of_time(budget, before, needed)
    return Judgement(Verdict.INCONCLUSIVE, None, reason)


def with_other_limits(
    found: Judgement,
    figures: Sequence[LimitedFigure],
    larger: tuple[int, int] | None = None,
    *,
    certain: bool = True,
) -> Judgement:
    """The verdict ``found`` on the peak, with those on the other figures that have a limit.

    ``larger`` are the rows of a sample that would tell more, and the time budget for it;
    ``certain`` says that all which no sample measured can only add to a figure.
    """
    if found.exceeds or any(_failed(one.evidence) for one in figures):
        return found
    others = [_of_figure(one, larger, certain=certain) for one in figures]
    for one in others:
        if one.verdict == Verdict.EXCEEDS:
            return one
    if found.verdict != Verdict.WITHIN:
        return found
    for one in others:
        if one.verdict != Verdict.WITHIN:
            return one
    return replace(found, reason=" ".join([found.reason, *(one.reason for one in others)]))


def _failed(evidence: Evidence) -> bool:
    last = evidence.samples[-1:]
    return any(one.run.outcome in (Outcome.RAISED, Outcome.KILLED) for one in last)


def _of_figure(
    figure: LimitedFigure, larger: tuple[int, int] | None, *, certain: bool
) -> Judgement:
    over, projection, limit = figure.over, figure.projection, figure.limit
    if over is not None:
        reason = figure_reasons.passed(figure, over)
        return Judgement(Verdict.EXCEEDS, Basis.MEASURED, reason, of_peak=False)
    if projection is None or limit is None:
        reason = figure_reasons.unknown(figure, larger)
        return Judgement(Verdict.INCONCLUSIVE, None, reason, of_peak=False)
    basis = Basis.MEASURED if projection.measured else Basis.PROJECTED
    if projection.low > limit and figure.enough and certain:
        reason = figure_reasons.passes(figure, projection)
        return Judgement(Verdict.EXCEEDS, basis, reason, of_peak=False)
    if projection.high < limit and figure.enough:
        reason = figure_reasons.holds(figure, projection)
        return Judgement(Verdict.WITHIN, basis, reason, of_peak=False)
    reason = figure_reasons.unclear(figure, projection, larger)
    return Judgement(Verdict.INCONCLUSIVE, basis, reason, of_peak=False)


def _of_peak(evidence: Evidence, estimate: Estimate, coverage: Coverage) -> Judgement:
    budget, samples, last = evidence.budget, evidence.samples, evidence.samples[-1]
    projection, gaps, fits = estimate.projection, coverage.gaps, estimate.fits
    over = next((sample for sample in samples if sample.run.peak > budget.limit), None)
    if over is not None:
        reason = reasons.passed_limit(budget, over, fits)
        if projection is not None and estimate.telling:
            reason = reasons.peaks(budget, projection, fits)
        return Judgement(Verdict.EXCEEDS, Basis.MEASURED, reason)
    sure = estimate.enough and all(gap.only_adds for gap in gaps)
    if projection is not None and sure and projection.low > budget.limit:
        return Judgement(Verdict.EXCEEDS, Basis.PROJECTED, reasons.peaks(budget, projection, fits))
    if _failed(evidence) and not last.run.refused:
        return Judgement(Verdict.ERROR, None, reasons.broke(budget, samples))
    if projection is None and last.run.outcome == Outcome.TIMED_OUT:
        stopped = (one for one in samples if one.run.outcome == Outcome.TIMED_OUT)
        longest = max(stopped, key=lambda one: one.run.duration)
        if longest.run.duration < _FAIR_SHARE * budget.time_budget or not longest.run.begun:
            return out_of_time(evidence)
        return Judgement(Verdict.ERROR, None, reasons.never_ended(budget, longest))
    if gaps:
        unknown = gaps[0].migration
        reason = reasons.sentence(budget, gaps[0].sentence, unknown)
        others = [peak for peak in estimate.peaks if peak[0] != unknown]
        if unknown and others and len(budget.migrations) > 1:
            reason = f"{reason} {reasons.others(*others[0])}"
        return Judgement(Verdict.INCONCLUSIVE, None, reason)
    larger = estimate.larger if evidence.finished else None
    if projection is None:
        return Judgement(Verdict.INCONCLUSIVE, None, reasons.not_judged(budget, last, larger))
    if evidence.breaks is not None and not projection.measured:
        reason = reasons.breaks(budget, *evidence.breaks)
        return Judgement(Verdict.INCONCLUSIVE, Basis.PROJECTED, reason)
    basis = Basis.MEASURED if projection.measured else Basis.PROJECTED
    if projection.high < budget.limit and estimate.enough:
        return Judgement(Verdict.WITHIN, basis, reasons.peaks(budget, projection, fits))
    reason = reasons.unclear(budget, projection, samples, larger)
    return Judgement(Verdict.INCONCLUSIVE, basis, reason)
