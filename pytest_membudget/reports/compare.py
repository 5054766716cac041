"""What a change did to each budget: the results of two runs held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.cells import Columns
from pytest_membudget.reports.document import identity


@dataclass(frozen=True)
class Change:
    """One budget before and after; either may be None, not both."""

    old: Result | None
    new: Result | None

    @property
    def latest(self) -> Result:
        """The result that the budget has now, or had when it was removed."""
        return self._known[-1]

    @property
    def difference_bytes(self) -> int | None:
        """What the peak grew by, in bytes; None where one of the two is not known."""
        old, new = (one.peak_bytes if one else None for one in (self.old, self.new))
        return None if old is None or new is None else new - old

    @property
    def bytes_per_row(self) -> str:
        """``"1,972 → 40"``, or one figure where it stayed or where there is but one."""
        figures = [
            "?" if one.bytes_per_row is None else f"{one.bytes_per_row:,}" for one in self._known
        ]
        return " → ".join(dict.fromkeys(figures))

    @property
    def verdict(self) -> str:
        """``"exceeds → within"``, ``"within"`` where it stayed, ``"added: within"``."""
        text = " → ".join(dict.fromkeys(one.verdict for one in self._known))
        if self.old is None:
            return f"added: {text}"
        return "removed" if self.new is None else text

    @property
    def verdict_changed(self) -> bool:
        return self.old is None or self.new is None or self.old.verdict != self.new.verdict

    @property
    def _known(self) -> list[Result]:
        return [one for one in (self.old, self.new) if one is not None]


def columns(changes: Sequence[Change]) -> Columns:
    """Those of a table with one row for what became of each budget."""
    found: Columns = {
        "migration": lambda change: cells.migration(change.latest),
        "database": lambda change: cells.vendor(change.latest),
        "before": lambda change: cells.short_peak(change.old) if change.old else "",
        "after": lambda change: cells.short_peak(change.new) if change.new else "",
        "difference": lambda change: cells.signed_size(change.difference_bytes, "+"),
        "bytes a row": lambda change: change.bytes_per_row,
        "verdict": lambda change: change.verdict,
    }
    if not cells.several_vendors(change.latest for change in changes):
        del found["database"]
    return found


def compare(old: Sequence[Result], new: Sequence[Result]) -> list[Change]:
    """Pair the results of two runs, by test and database; what changed most comes first."""
    before, after = ({identity(one): one for one in results} for results in (old, new))
    changes = [Change(before.get(key), after.get(key)) for key in before | after]
    return sorted(
        changes, key=lambda one: (not one.verdict_changed, -abs(one.difference_bytes or 0))
    )
