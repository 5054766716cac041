"""Columns of which a share of the rows holds a value that statements ask for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle
from typing import Any

from pytest_membudget.seeding.columns import Column, DrawnColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.forced_values import storable_values

# Its multiples, without their whole parts, are spread evenly over any number of rows.
_GOLDEN = 0.6180339887498949
Arranged = Callable[[list[Any], int, "float | None"], list[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class PortionedColumn(Column):
    """It holds each of some values in a share of the rows, and those of ``rest`` in all others."""

    portions: Sequence[tuple[Any, float]]
    rest: DrawnColumn

    def arranged(self, drawn: list[Any], size: int, arrange: Arranged) -> list[Any]:
        """A value for each of ``size`` template rows; ``arrange`` does the same for the rest.

        The values of several columns are in the same rows as far as possible, so that no rows are
        missing that have all of them.
        """
        asked = [value for value, _ in self.portions]
        ends = list(accumulate(share for _, share in self.portions))
        places = [bisect_right(ends, number * _GOLDEN % 1) for number in range(size)]
        left = places.count(len(asked))
        nulls = 0.0
        if None not in asked and left:
            nulls = min(1.0, (self.nulls or 0) * size / left)
        others = [value for value in drawn if value not in asked]
        if not others:
            others = [None] if self.field.null and None not in asked else asked
        rest = cycle(arrange(others, left, nulls) or others)
        return [asked[place] if place < len(asked) else next(rest) for place in places]


def portions(
    field: Field, asked: Sequence[Any], shares: Sequence[float]
) -> list[tuple[Any, float]] | None:
    """Each of the values as the column holds it, with its share; None where it can't hold one."""
    found = []
    for value, share in zip(asked, shares, strict=True):
        stored = storable_values(field, [value], unique=False)
        if stored is None or (value is not None and not stored):
            return None
        found.append((stored[0] if stored else None, share))
    return found


def seeded_shares(columns: Iterable[Column], rows: Any, count: int) -> dict[str, list[float]]:
    """The shares that values of such columns have in ``rows``, a queryset of ``count`` rows, by the
    names of the columns in the database: few rows may have larger ones than were asked for.
    """
    found = {}
    for one in columns:
        if isinstance(one, PortionedColumn):
            lookups = [_equal(one.field.name, value) for value, _ in one.portions]
            shares = [rows.filter(**lookup).count() / count for lookup in lookups]
            found[str(one.field.column)] = shares
    return found


def _equal(name: str, value: Any) -> dict[str, Any]:
    return {f"{name}__isnull": True} if value is None else {name: value}
