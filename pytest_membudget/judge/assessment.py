"""What the samples so far come to, built once after each of them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.judge.coverage import Coverage, cover
from pytest_membudget.judge.estimate import Estimate, estimate
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.ladder import Outlook
from pytest_membudget.judge.projection import Growth
from pytest_membudget.judge.verdict import Judgement, Verdict, judge


@dataclass(frozen=True)
class Assessment:
    evidence: Evidence
    coverage: Coverage
    estimate: Estimate
    judgement: Judgement

    @property
    def outlook(self) -> Outlook:
        return self.estimate.outlook(decided=self.judgement.decided, exceeds=self.judgement.exceeds)

    @property
    def is_in_danger(self) -> bool:
        """Whether growth, over rows that the migration accessed, may pass the limit."""
        projection = self.estimate.projection
        if projection is None or projection.growth == Growth.CONSTANT:
            return False
        accessed = self.coverage.touched not in (0, None)
        return accessed and projection.high >= self.evidence.budget.limit


def assess(evidence: Evidence) -> Assessment:
    """Of evidence with one sample at least."""
    coverage = cover(evidence)
    found = estimate(evidence, coverage.touched)
    judgement = judge(evidence.budget, evidence.samples, found, coverage)
    return Assessment(evidence, coverage, found, judgement)


def failed(evidence: Evidence, reason: str) -> Assessment:
    """Where the check itself failed, with whatever was measured before."""
    coverage = cover(evidence)
    found = estimate(evidence, coverage.touched)
    return Assessment(evidence, coverage, found, Judgement(Verdict.ERROR, None, reason))
