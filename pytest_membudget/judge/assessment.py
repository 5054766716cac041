"""What the samples so far come to, built anew after each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pytest_membudget.judge.coverage import Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.ladder import Outlook
from pytest_membudget.judge.verdict import Judgement, judge


@dataclass(frozen=True)
class Assessment:
    """``failure`` is the verdict where the check itself failed.

    Else the evidence has one sample at least.
    """

    evidence: Evidence
    failure: Judgement | None = None

    @cached_property
    def coverage(self) -> Coverage:
        return Coverage(self.evidence)

    @cached_property
    def estimate(self) -> Estimate:
        return Estimate(self.evidence, self.coverage.touched, is_known=self.coverage.is_known)

    @cached_property
    def judgement(self) -> Judgement:
        if self.failure is not None:
            return self.failure
        return judge(self.evidence, self.estimate, self.coverage)

    @property
    def outlook(self) -> Outlook:
        """What the choice of the next row count depends on."""
        estimate, judgement = self.estimate, self.judgement
        breaks, _ = self.evidence.breaks_at or (None, None)
        ends = estimate.limit_passed_at, breaks
        crossing = min((end for end in ends if end is not None), default=None)
        decided, exceeds = judgement.decided, judgement.exceeds and judgement.of_peak
        return Outlook(decided, estimate.narrow, exceeds, crossing, estimate.past)

    @property
    def depends_on_garbage(self) -> bool:
        """Whether the verdict would be ``exceeds`` if what the largest sample holds were in use."""
        evidence = self.evidence
        known = any(one.held is not None for one in evidence.samples)
        if known or self.judgement.decided or not evidence.finished:
            return False
        blocks = evidence.finished[-1].run.facts.kept_blocks
        return blocks is not None and Assessment(evidence.with_held(blocks)).judgement.exceeds

    @property
    def is_in_danger(self) -> bool:
        """Whether growth, over rows that the migration accessed, may pass the limit."""
        projection = self.estimate.projection
        if projection is None or projection.growth == Growth.CONSTANT:
            return False
        return bool(self.coverage.touched) and projection.high >= self.evidence.budget.limit
