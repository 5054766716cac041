"""Rows of the model with the most of them, and of the one that is counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowScale:
    """``counted`` rows in production of the first model of ``rows``, ``largest`` of the largest.

    The size of a sample is in rows of the largest model; users read rows of the counted one.
    """

    counted: int
    largest: int

    def to_counted(self, rows: float | None) -> int | None:
        """So many rows of the largest model, in rows of the counted one; None stays None."""
        return None if rows is None else int(rows * self.share)

    def per_counted(self, per_largest: float) -> float:
        """A figure for each row of the largest model, for each row of the counted one."""
        return per_largest / self.share

    @property
    def share(self) -> float:
        """How many rows of the counted model there are for one of the largest."""
        return self.counted / self.largest if self.largest else 1.0
