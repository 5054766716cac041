"""What a profile says about a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnStats:
    """One column in production; None is unknown.

    ``width``: average bytes of the values that are not NULL, without the database's own header.
    ``compressed``: is that the width after TOAST's compression?
    ``text``: is it that of the text which a document or an array is read as, not of what is stored?
    ``nulls``: the share of NULLs, 0 to 1.
    ``distinct``: how many different values there are among ``rows`` rows.
    """

    width: float | None = None
    compressed: bool = False
    text: bool = False
    nulls: float | None = None
    distinct: int | None = None
    rows: int | None = None

    @property
    def variety(self) -> float | None:
        """Different values for each row, up to 1."""
        if self.distinct is None or not self.rows:
            return None
        return min(1.0, self.distinct / self.rows)


StatsByColumn = Mapping[str, Mapping[str, ColumnStats]]
"""What is known, by table and column."""
