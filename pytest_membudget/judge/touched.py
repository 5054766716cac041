"""By how much production may have fewer or more of the rows that the samples touched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pytest_membudget.judge.coverage import TOUCHED_ALL
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.matching import of_all_rows, share_of_each


@dataclass(frozen=True)
class Touched:
    """``share`` is that of the seeded rows which the last sample read or wrote, ``is_known`` says
    that production's share of these is known.
    """

    evidence: Evidence
    share: float | None = None
    is_known: bool = False

    @cached_property
    def least(self) -> float:
        """By how much production may have fewer."""
        return min((one.low / one.seeded for one in self.evidence.portions), default=1.0)

    @cached_property
    def most(self) -> float:
        """By how much it may have more."""
        evidence = self.evidence
        share = share_of_each(of_all_rows(evidence.forced_values, evidence.shares))
        if self.share and self.share <= TOUCHED_ALL and not self.is_known:
            share = min(share, self.share)
        more = max((one.high / one.seeded for one in evidence.portions), default=1.0)
        return max(1 / share, more)
