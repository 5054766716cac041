"""A change that advice would make, and the peaks that were measured with it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.judge.growth_fit import REPEATABILITY
from pytest_membudget.processes.messages.job import Rewrite


@dataclass(frozen=True)
class Trial:
    """Peaks in bytes with the change made, at two row counts.

    ``unchanged_peak`` is the one without it, with ``unchanged_rows``: one of the two.
    """

    rewrite: Rewrite
    small_rows: int
    small_peak: int
    large_rows: int
    large_peak: int
    unchanged_rows: int
    unchanged_peak: int

    @property
    def changed_peak(self) -> int:
        """The one to hold against ``unchanged_peak``."""
        return self.large_peak if self.unchanged_rows == self.large_rows else self.small_peak

    def saved(self, slope: float) -> float:
        """Bytes a row, of the ``slope`` without the change; the larger of two estimates.

        With few rows what every process has still fills up, which the difference of two peaks
        cancels; a chunk that every stream has lies in that difference, and not in a slope.
        """
        difference = (self.unchanged_peak - self.changed_peak) / self.unchanged_rows
        return min(slope, max(difference, slope - self._slope()))

    def peak(self, rows: int, unchanged: float | None) -> int:
        """What would remain at so many rows, where the peak is ``unchanged`` without the change."""
        line = self.large_peak + self._slope() * max(0, rows - self.large_rows)
        if unchanged is None:
            return round(line)
        difference = (self.unchanged_peak - self.changed_peak) / self.unchanged_rows
        return round(min(line, max(self.large_peak, unchanged - difference * rows)))

    def _slope(self) -> float:
        """Bytes a row; 0 where the two differ by no more than two runs of the same do."""
        grown = self.large_peak - self.small_peak
        if grown <= 2 * REPEATABILITY:
            return 0.0
        return grown / (self.large_rows - self.small_rows)
