"""How production's rows grow, where that is stated, and when a budget will therefore break."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown

# Per cent.  With less no table grows in a lifetime, more is a mistake.
_LEAST, _MOST = 0.001, 10_000
_STATED = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*(?:a|per)\s+(day|week|month|year)\s*")


@dataclass(frozen=True)
class RowGrowth:
    """``rate`` is the share of its rows that a table gains in each ``period``, ``"month"``."""

    text: str
    rate: float
    period: str

    def until(self, factor: float) -> str:
        """In what time the rows are ``factor`` times as many: ``"about 14 months"``."""
        periods = math.log(factor) / math.log1p(self.rate)
        if periods < 1:
            return f"less than a {self.period}"
        count = round(periods)
        return f"about {count} {self.period}{'s' if count > 1 else ''}"


def read_row_growth(value: object) -> RowGrowth:
    """Read ``"5% a month"``; a day, a week and a year do as well.  Raises BudgetError."""
    match = _STATED.fullmatch(str(value))
    if match is None or not _LEAST <= float(match[1]) <= _MOST:
        raise BudgetError(f'{shown(value)} is not a growth; write "5% a month"')
    return RowGrowth(str(value).strip(), float(match[1]) / 100, match[2])
