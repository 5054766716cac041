"""Columns whose template values are varied from one round of the template to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from decimal import Decimal
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding import values
from pytest_membudget.seeding.columns import Column
from pytest_membudget.seeding.numbering import HUGE, short_text

if TYPE_CHECKING:
    from random import Random

    from pytest_membudget.seeding.dialect import Dialect
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

SPAN = 1000
"""Numbers of one round of the template lie less than this apart, in steps of the last digit."""

_INDEX = 2
_DIGITS = 7
_TEN_YEARS = 10 * 365 * 86400


@dataclass(frozen=True)
class Way:
    """How to vary a kind of field: ``write(dialect, value, round)`` is SQL.

    ``numbers(places, dice)`` are the template's values where they are numbers or times, one of
    each place, none for texts: those end in :func:`tail`.
    """

    write: Callable[[Dialect, str, str], str]
    at: Callable[[int], Any] | None = None
    room: int = SPAN


@dataclass(eq=False)
class Varied(Column):
    """A column whose value is that of the template row, made different by the round it is in."""

    table: Table = attribute(kw_only=True)
    way: Way = attribute(kw_only=True)
    computed = True

    def sql(self, i: str) -> str:
        number = f"(({i} - 1) / {self.table.size})"
        return self.way.write(self.table.dialect, f"t.{self.name}", number)

    def numbers(self, count: int, dice: Random) -> list[Any] | None:
        """So many different values, or None where they are texts."""
        at = self.way.at
        return [at(n) for n in dice.sample(range(self.way.room), count)] if at else None


def digits(width: float) -> int:
    """How many digits of a text of this width tell its round."""
    return min(_DIGITS, max(1, int(width) - _INDEX - 2))


def tail(place: int, width: float, digits: int) -> str:
    """The end of a text that makes it different from the template's others, and its mark."""
    return short_text(place, min(_INDEX, max(1, int(width)))) + "#" * digits


@singledispatch
def way(field: Field, width: float | None) -> Way | None:
    """How a field's values can be varied, or None if they cannot."""
    return None


@way.register(models.CharField)
@way.register(models.TextField)
@way.register(models.FileField)
@way.register(models.FilePathField)
def _(field: Any, width: float | None) -> Way | None:
    width = usual(field) if width is None else min(width, field.max_length or width)
    if width < _INDEX + 1 or isinstance(field, models.CommaSeparatedIntegerField):
        return None
    count = digits(width)

    def write(dialect: Dialect, value: str, number: str) -> str:
        shown = dialect.digits(f"({number} % {10**count})", count)
        return f"replace({value}, '{'#' * count}', {shown})"

    return Way(write)


@way.register(models.IntegerField)
def _(field: Any, width: float | None) -> Way | None:
    low, high = values.bounds(field, 1, HUGE)
    return _stepped(low, high, lambda n: low + n, str(SPAN))


@way.register(models.FloatField)
def _(field: Any, width: float | None) -> Way | None:
    low, high = values.bounds(field, 0.0, 1e12, float)
    return _stepped(int(low), int(high), lambda n: low + n, f"{SPAN}.0")


@way.register(models.DecimalField)
def _(field: Any, width: float | None) -> Way | None:
    places = field.decimal_places if field.decimal_places is not None else 4
    most = Decimal(10 ** min(field.max_digits or 15, 15) - 1).scaleb(-places)
    low, high = values.bounds(field, Decimal(0), most, Decimal)
    first, step = int(low * 10**places), Decimal(SPAN).scaleb(-places)
    return _stepped(
        first,
        int(high * 10**places),
        lambda n: Decimal(first + n).scaleb(-places),
        f"{step:f}",
        places,
    )


@way.register(models.DateTimeField)
def _(field: Any, width: float | None) -> Way:
    begin = values.aware(dt.datetime(2015, 1, 1, microsecond=1))

    def write(dialect: Dialect, value: str, number: str) -> str:
        return dialect.microsecond(value, f"({number} % 999999 + 1)")

    return Way(write, lambda n: begin + dt.timedelta(seconds=n), _TEN_YEARS)


@way.register(models.DateField)
def _(field: Any, width: float | None) -> None:
    """There are not enough days to be worth it."""
    return


def usual(field: Any) -> float:
    """The width of a text that nobody knows more about."""
    return 200 if not field.max_length else 0.75 * field.max_length / (1 + (field.max_length > 20))


def _stepped(
    low: int, high: int, at: Callable[[int], Any], step: str, places: int | None = None
) -> Way | None:
    """Numbers that go up by a span with each round, and begin anew where there is no more room."""
    rounds = (high - low + 1) // SPAN
    if rounds < 1:
        return None

    def write(dialect: Dialect, value: str, number: str) -> str:
        moved = f"({value} + {step} * ({number} % {rounds}))"
        return moved if places is None else f"round({moved}, {places})"

    return Way(write, at)
