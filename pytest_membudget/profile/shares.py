"""Which share of a table's rows has a value, as far as the profile tells.

The statistics are of a sample of the rows, and of another day than the migration: a share may be
off by a tenth of itself, and by a hundredth of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

HASH_DIGITS = 8
_OFF = 0.1
_UNSEEN = 0.01
# With so much more than every row, a bound says nothing.
_TELLING = 0.9
_WHOLE = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class Share:
    """From ``low`` to ``high``; ``likely`` is None where the profile has bounds only."""

    low: float
    likely: float | None
    high: float

    @property
    def seeded(self) -> float:
        """The share that rows are seeded with: enough for the migration to find some."""
        return self.high if self.is_assumed else max(self.likely or 0, self.low)

    @property
    def is_assumed(self) -> bool:
        """Whether more rows are seeded than production is known to have."""
        return self.likely is None or self.likely < _UNSEEN


@dataclass(frozen=True)
class ColumnShares:
    """``by_hash`` are the shares of common values, None where the profile has none."""

    place: str
    type: str
    nulls: float | None = None
    by_hash: Mapping[str, float] | None = None

    def of(self, value: Any) -> Share | None:
        """The share of rows with this value, which is None for NULL; None where nothing is known
        of it.
        """
        if value is None:
            return None if self.nulls is None else _around(self.nulls)
        filled = 1 - (self.nulls or 0)
        if self.by_hash is not None:
            text = text_of(self.type, value)
            listed = None if text is None else self.by_hash.get(hash_of(self.place, text))
            if listed is not None:
                return _around(listed)
            if text is not None:
                filled = max(0.0, filled - sum(self.by_hash.values()))
        most = _around(filled).high
        return Share(0.0, None, most) if most < _TELLING else None


@dataclass(frozen=True)
class ValueShares:
    """What a profile tells of the shares of values, by table and column."""

    columns: Mapping[tuple[str, str], ColumnShares] = field(default_factory=dict)

    def of(self, table: str, column: str, values: Sequence[Any]) -> list[Share] | None:
        """The share of each value; None where one of them is not known."""
        known = self.columns.get((table, column))
        found = [] if known is None else [known.of(value) for value in values]
        shares = [one for one in found if one is not None]
        return shares if shares and len(shares) == len(values) else None


def hash_of(place: str, text: str) -> str:
    """As the SQL of ``membudget profile --shares`` makes it."""
    return sha256(f"{place}={text}".encode()).hexdigest()[:HASH_DIGITS]


def text_of(type_: str, value: Any) -> str | None:
    """A value as PostgreSQL writes it in a column of this type; None where that is not known."""
    if type_ == "boolean":
        return ("t" if value else "f") if value in (0, 1) else None
    if type_ in _WHOLE:
        with suppress(ValueError):
            return str(int(value)) if isinstance(value, str | int) else None
        return None
    return value if isinstance(value, str) else None


def _around(share: float) -> Share:
    low, high = share * (1 - _OFF) - _UNSEEN, share * (1 + _OFF) + _UNSEEN
    return Share(max(0.0, low), share, min(1.0, high))
