"""Which migrations come closer to their limit over several runs, and when they pass it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_membudget.budget.readers import RowGrowth
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.cells import Columns
from pytest_membudget.reports.document import Document, identity
from pytest_membudget.units import format_rows, format_share, format_size

EVERY_OTHER = "*"
# Of the limit.  Two runs of the same migration differ by less.
_CLOSER = 0.01
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_LEAST_DAYS = 1.0
_FURTHEST_DAYS = 100 * 365.25


@dataclass(frozen=True)
class Trend:
    """The results of one budget by date, the oldest first, and how its rows grow."""

    dates: tuple[datetime, ...]
    results: tuple[Result, ...]
    growth: RowGrowth | None

    @property
    def last(self) -> Result:
        return self.results[-1]

    @property
    def is_closer(self) -> bool:
        """Whether it takes more of its limit than at first."""
        return _share(self.last) - _share(self.results[0]) >= _CLOSER

    @property
    def has_passed(self) -> bool:
        return self.last.verdict == Verdict.EXCEEDS

    @property
    def passes(self) -> datetime | None:
        """When the rows are more than fit; None where that is not known, or where it is never."""
        fits, rows = self.last.fits_up_to_rows, cells.counted(self.last)[1]
        if fits is None or not rows or self.growth is None:
            return None
        days = self.growth.periods(fits / rows) * _DAYS[self.growth.period] if fits > rows else 0
        return self.dates[-1] + timedelta(days=days) if days < _FURTHEST_DAYS else None

    @property
    def passes_text(self) -> str:
        """``"2027-03, about 4 months"``, counted from the last run."""
        if self.has_passed:
            return str(self.last.verdict)
        if (day := self.passes) is None or self.growth is None:
            return ""
        factor = (self.last.fits_up_to_rows or 0) / cells.counted(self.last)[1]
        return f"{day:%Y-%m}, {self.growth.until(factor)}"

    def arrow(self, first: str, last: str) -> str:
        return first if first == last else f"{first} → {last}"


def columns(trends: Sequence[Trend]) -> Columns:
    """Those of a table with one row for each budget."""
    found: Columns = {
        "migration": lambda one: cells.migration(one.last),
        "database": lambda one: cells.vendor(one.last),
        "runs": lambda one: str(len(one.results)),
        "rows": lambda one: one.arrow(*(format_rows(cells.counted(it)[1]) for it in _ends(one))),
        "growth": lambda one: one.growth.text if one.growth else "",
        "peak": lambda one: one.arrow(*(format_size(it.peak_bytes or 0) for it in _ends(one))),
        "of the limit": lambda one: one.arrow(*(format_share(_share(it)) for it in _ends(one))),
        "passes it": lambda one: one.passes_text,
    }
    if not cells.several_vendors(one.last for one in trends):
        del found["database"]
    return found


def trends(
    runs: Iterable[tuple[datetime, Document]], growth: Mapping[str, RowGrowth]
) -> list[Trend]:
    """One of each budget whose peak is known; what passes its limit first comes first.

    ``growth`` is stated by model; else it is that of the row counts of the first and last run.
    """
    dates: dict[object, list[datetime]] = {}
    results: dict[object, list[Result]] = {}
    for when, document in sorted(runs, key=lambda run: run[0]):
        for result in document.results:
            known = results.setdefault(identity(result), [])
            if result.peak_bytes is not None and result not in known:
                known.append(result)
                dates.setdefault(identity(result), []).append(when)
    found = [
        Trend(tuple(dates[key]), tuple(its), _growth(dates[key], its, growth))
        for key, its in results.items()
        if its
    ]
    return sorted(found, key=_urgency)


def _urgency(trend: Trend) -> tuple[bool, bool, float, float]:
    passes = trend.passes
    when = passes.timestamp() if passes else 0.0
    return not trend.has_passed, passes is None, when, -_share(trend.last)


def _growth(
    dates: Sequence[datetime], results: Sequence[Result], stated: Mapping[str, RowGrowth]
) -> RowGrowth | None:
    model, rows = cells.counted(results[-1])
    if (known := stated.get(model, stated.get(EVERY_OTHER))) is not None:
        return known
    before = results[0].rows.get(model, 0)
    days = (dates[-1] - dates[0]).total_seconds() / 86_400
    if days < _LEAST_DAYS or not 0 < before < rows:
        return None
    rate = (rows / before) ** (_DAYS["month"] / days) - 1
    return RowGrowth(f"{format_share(rate)} a month", rate, "month")


def _ends(trend: Trend) -> tuple[Result, Result]:
    return trend.results[0], trend.last


def _share(result: Result) -> float:
    return (result.peak_bytes or 0) / result.limit_bytes
