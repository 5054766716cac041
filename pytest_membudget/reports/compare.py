"""What a change did to each budget: the results of two runs held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.cells import Columns
from pytest_membudget.reports.document import identity
from pytest_membudget.reports.noted import short
from pytest_membudget.units import format_rows


@dataclass(frozen=True)
class Change:
    """One budget before and after."""

    old: Result
    new: Result

    @property
    def difference_bytes(self) -> int | None:
        """What the peak grew by, in bytes; None where one of the two is not known."""
        old, new = self.old.peak_bytes, self.new.peak_bytes
        return None if old is None or new is None else new - old

    @property
    def bytes_per_row(self) -> str:
        """``"1,972 → 40"``, or one figure where it stayed."""
        figures = (one.bytes_per_row for one in (self.old, self.new))
        return _arrow(*("?" if one is None else f"{one:,}" for one in figures))

    @property
    def verdict(self) -> str:
        """``"exceeds → within"``, ``"within"`` where it stayed."""
        return _arrow(self.old.verdict, self.new.verdict)

    @property
    def verdict_changed(self) -> bool:
        return self.old.verdict != self.new.verdict

    @property
    def rows_changed(self) -> str | None:
        """That the peaks are of different row counts."""
        (model, rows), (_, before) = cells.counted(self.new), cells.counted(self.old)
        if self.old.rows == self.new.rows:
            return None
        counts = _arrow(format_rows(before), format_rows(rows))
        return f"{cells.migration(self.new)}: the row counts changed: {counts} {model}"


@dataclass(frozen=True)
class Comparison:
    """``changes`` are of the budgets of both runs; the others are only in one of them."""

    changes: list[Change]
    only_old: list[Result]
    only_new: list[Result]

    @property
    def notes(self) -> list[str]:
        notes = [one.rows_changed for one in self.changes]
        for results, run in ((self.only_old, "first"), (self.only_new, "second")):
            if results:
                names = ", ".join(dict.fromkeys(map(cells.migration, results)))
                notes.append(short(f"only in the {run} file: {names}"))
        return list(filter(None, notes))


def columns(changes: Sequence[Change]) -> Columns:
    """Those of a table with one row for what became of each budget."""
    found: Columns = {
        "migration": lambda change: cells.migration(change.new),
        "database": lambda change: cells.vendor(change.new),
        "before": lambda change: cells.short_peak(change.old),
        "after": lambda change: cells.short_peak(change.new),
        "difference": lambda change: cells.signed_size(change.difference_bytes, "+"),
        "bytes a row": lambda change: change.bytes_per_row,
        "verdict": lambda change: change.verdict,
    }
    if not cells.several_vendors(change.new for change in changes):
        del found["database"]
    return found


def compare(old: Sequence[Result], new: Sequence[Result]) -> Comparison:
    """Pair the results of two runs, by test and database; what changed most comes first."""
    before, after = ({identity(one): one for one in results} for results in (old, new))
    changes = [Change(before[key], after[key]) for key in before if key in after]
    changes.sort(key=lambda one: (not one.verdict_changed, -abs(one.difference_bytes or 0)))
    return Comparison(
        changes,
        only_old=[one for key, one in before.items() if key not in after],
        only_new=[one for key, one in after.items() if key not in before],
    )


def _arrow(old: str, new: str) -> str:
    return " → ".join(dict.fromkeys((old, new)))
