"""``--fail-on "peak:+20%"``: what a figure may grow by from one run to the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.compare import Change
from pytest_membudget.texts import shown
from pytest_membudget.units import MIB, format_size, parse_size

_FIGURES: dict[str, Callable[[Result], int | None]] = {
    "peak": lambda result: result.peak_bytes,
    "bytes_per_row": lambda result: result.bytes_per_row,
}
_THRESHOLD = re.compile(r"(\w+):\+(?:(\d+(?:\.\d+)?)%|(\S+))")
# Bytes a row that add less to the peak are not told from how far two peaks differ.
_LEAST_BYTES = MIB


@dataclass(frozen=True)
class Threshold:
    """``figure`` may grow by ``share`` of itself, or by ``size`` bytes."""

    text: str
    figure: str
    share: float | None
    size: int = 0

    def crossed(self, change: Change) -> str | None:
        """What has grown by more, in a sentence; None where nothing has."""
        old, new = (_FIGURES[self.figure](one) for one in (change.old, change.new))
        if old is None or new is None:
            return None
        allowed = self.size if self.share is None else self.share * max(0, old)
        rows = cells.counted(change.new)[1] if self.figure == "bytes_per_row" else 1
        if new - old <= allowed or (rows > 1 and (new - old) * rows < _LEAST_BYTES):
            return None
        grown = f" ({new / old - 1:+.0%})" if old > 0 else ""
        name = self.figure.replace("_", " ")
        figures = f"{format_size(old)} to {format_size(new)}{grown}"
        return f"{cells.migration(change.new)}: {name} grew from {figures}; {self.text} is allowed"

    def unknown(self, change: Change) -> str | None:
        """That one of the runs has the figure and the other has not."""
        known = [_FIGURES[self.figure](one) is not None for one in (change.old, change.new)]
        if all(known) or not any(known):
            return None
        run, name = "first" if known[1] else "second", self.figure.replace("_", " ")
        return f"{cells.migration(change.new)}: the {run} file does not tell its {name}"


def parse_threshold(text: object) -> Threshold:
    """Read ``"peak:+20%"``, ``"peak:+50Mi"`` or ``"bytes_per_row:+20%"``.  Raises BudgetError."""
    match = _THRESHOLD.fullmatch(str(text))
    if match is None or match[1] not in _FIGURES:
        raise BudgetError(
            f'{shown(text)} is not a threshold; write "peak:+20%", "peak:+50Mi" or '
            '"bytes_per_row:+20%"'
        )
    if match[2] is not None:
        return Threshold(match[0], match[1], float(match[2]) / 100)
    return Threshold(match[0], match[1], None, parse_size(match[3]))


def crossings(
    thresholds: Sequence[Threshold], changes: Sequence[Change]
) -> tuple[list[str], list[str]]:
    """What has grown by too much, and what could not be said."""
    pairs = [(threshold, change) for threshold in thresholds for change in changes]
    crossed = (threshold.crossed(change) for threshold, change in pairs)
    unknown = (threshold.unknown(change) for threshold, change in pairs)
    return list(filter(None, crossed)), list(filter(None, unknown))
