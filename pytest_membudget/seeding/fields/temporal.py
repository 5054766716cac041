"""Dates, times and durations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from django.conf import settings
from django.db import models

from pytest_membudget.seeding.fields.base import FieldKind, Variation, WantedValues, register
from pytest_membudget.seeding.sequences import Formula, Numbering, shifted

EPOCH = dt.datetime(2000, 1, 1)
_DAY = 86400
_TEN_YEARS = 10 * 365 * _DAY
_DAYS = 2_900_000
"""So many days after 2000 are in Python's range."""


@register(models.DateTimeField)
class Moment(FieldKind):
    unique_rank = 3

    def plausible(self, rng: Random) -> dt.datetime:
        seconds = rng.randint(0, _TEN_YEARS)
        return _aware(dt.datetime(2015, 1, 1) + dt.timedelta(seconds=seconds))

    def numbering(self) -> Numbering:
        return Numbering(10**11, lambda n: _aware(EPOCH + dt.timedelta(seconds=n)))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        moment = self.dialect.moment.format
        if not wanted.exact:
            yield Formula(_DAYS, lambda n: moment(f"{_DAY} * ({n} + {wanted.after})"))
        yield from _formulas(moment, wanted, _DAY, 10**11)

    def variation(self, width: float | None) -> Variation:
        begin = _aware(dt.datetime(2015, 1, 1, microsecond=1))

        def write(value: str, number: str) -> str:
            return self.dialect.microsecond.format(value, f"({number} % 999999 + 1)")

        return Variation(write, lambda n: begin + dt.timedelta(seconds=n), _TEN_YEARS)

    def extremes(self) -> list[Any]:
        return [_aware(dt.datetime(1900, 1, 1)), _aware(dt.datetime(2200, 1, 1))]


@register(models.DateField)
class Date(FieldKind):
    """It has no variation: there are not enough days to be worth it."""

    def plausible(self, rng: Random) -> dt.date:
        return dt.date(2015, 1, 1) + dt.timedelta(days=rng.randint(0, 3650))

    def numbering(self) -> Numbering:
        return Numbering(_DAYS, lambda n: EPOCH.date() + dt.timedelta(days=n))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        yield from _formulas(self.dialect.date.format, wanted, 1, _DAYS)

    def extremes(self) -> list[Any]:
        return [dt.date(1900, 1, 1), dt.date(2200, 1, 1)]


@register(models.TimeField)
class Time(FieldKind):
    def plausible(self, rng: Random) -> dt.time:
        return (dt.datetime.min + dt.timedelta(seconds=rng.randint(0, _DAY - 1))).time()

    def numbering(self) -> Numbering:
        microseconds = _DAY * 10**6
        return Numbering(
            microseconds - 1, lambda n: (dt.datetime.min + dt.timedelta(microseconds=n)).time()
        )


@register(models.DurationField)
class Duration(FieldKind):
    def plausible(self, rng: Random) -> dt.timedelta:
        return dt.timedelta(seconds=rng.randint(1, 30 * _DAY))

    def numbering(self) -> Numbering:
        return Numbering(10**12, lambda n: dt.timedelta(seconds=n))


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.timezone.utc) if settings.USE_TZ else moment


def _formulas(
    write: Callable[[str], str], wanted: WantedValues, day: int, size: int
) -> Iterator[Formula]:
    starts = [wanted.after]
    for literal in wanted.literals:
        if isinstance(literal, dt.date):
            days = literal.toordinal() - EPOCH.toordinal() + 1
            starts += [days * day, (days - 3650) * day]
    yield from (shifted(write, start, size - abs(start)) for start in starts)
