"""The verdict on one budget: within, exceeds, inconclusive or error, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_membudget.judge import reasons
from pytest_membudget.judge.asked_rows import assumptions, stated
from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
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


def judge(evidence: Evidence, estimate: Estimate, coverage: Coverage) -> Judgement:
    """Compare the samples, and the estimate made of them, with the limit: only here.

    With a gap no verdict is ``within``, and a projection is only believed to exceed where the gaps
    can but add to it.
    """
    found = _judge(evidence, estimate, coverage)
    highest = estimate.peaks[0][0] if len(estimate.peaks) > 1 else evidence.budget.label
    if highest != evidence.budget.label and found.basis is not None:
        found = replace(found, reason=f"{found.reason} {reasons.sets_peak(highest)}")
    if found.basis is not None and (shares := stated(evidence)):
        told = reasons.by_profile(shares, evidence.production.profile)
        found = replace(found, reason=f"{found.reason} {told}")
    stopped = any(one.run.outcome == Outcome.TIMED_OUT for one in evidence.samples)
    if found.basis is not None and (stopped or evidence.slows_down) and evidence.duration:
        found = replace(found, reason=f"{found.reason} {reasons.takes(evidence.duration)}")
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


def _judge(evidence: Evidence, estimate: Estimate, coverage: Coverage) -> Judgement:
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
    broke = last.run.outcome in (Outcome.RAISED, Outcome.KILLED)
    if broke and not last.run.refused:
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
    largest = evidence.finished[-1] if last.finished else last
    reason = reasons.unclear(budget, projection, largest, larger)
    return Judgement(Verdict.INCONCLUSIVE, basis, reason)
