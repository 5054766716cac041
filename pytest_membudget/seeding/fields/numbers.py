"""Integers, decimals, floats and booleans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations

from pytest_membudget.seeding.fields.base import (
    HUGE,
    SPAN,
    FieldKind,
    Variation,
    WantedValues,
    register,
)
from pytest_membudget.seeding.sequences import Formula, Numbering, shifted

if TYPE_CHECKING:
    from faker import Faker

_DIGITS = 9


class Number(FieldKind):
    counts_on = True

    def bounds(self, low: Any, high: Any, convert: Callable[[Any], Any] = int) -> tuple[Any, Any]:
        """``low`` and ``high``, moved to where the column and the validators allow them to be."""
        limits = BaseDatabaseOperations.integer_field_ranges.get(self.field.get_internal_type())
        least, most = limits or (None, None)
        for validator in self.field.validators:
            if isinstance(validator, MinValueValidator | MaxValueValidator):
                value = validator.limit_value
                limit = convert(value() if callable(value) else value)
                if isinstance(validator, MinValueValidator):
                    least = limit if least is None else max(least, limit)
                else:
                    most = limit if most is None else min(most, limit)
        low = low if least is None else max(low, least)
        high = high if most is None else min(high, most)
        if low > high:
            low, high = (low, low) if most is None or low <= most else (high, high)
        return low, high

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        low, high = self.bounds(wanted.after + 1, HUGE)
        yield shifted(str, low - 1, high - low + 1)
        least, _ = self.bounds(-HUGE, HUGE)
        for literal in wanted.literals:
            if isinstance(literal, int | float | Decimal) and not isinstance(literal, bool):
                for start in (int(literal) - 1, int(literal), int(literal) - 10**8):
                    start = max(start, wanted.after or least - 1)
                    yield shifted(str, start, high - start)

    def extremes(self) -> list[Any]:
        return list(self.bounds(-(10**9), 10**9))


@register(models.IntegerField)
class Integer(Number):
    unique_rank = 4

    def plausible(self, fake: Faker) -> int:
        return int(fake.random.randint(*self.bounds(1, 1_000_000)))

    def numbering(self) -> Numbering:
        low, high = self.bounds(1, HUGE)
        return Numbering(high - low + 1, lambda n: low + n - 1)

    def variation(self, width: float | None) -> Variation | None:
        low, high = self.bounds(1, HUGE)
        return _stepped(low, high, lambda n: low + n, str(SPAN))


@register(models.FloatField)
class Float(Number):
    def plausible(self, fake: Faker) -> float:
        return float(round(fake.random.uniform(*self.bounds(0.0, 10_000.0, float)), 3))

    def numbering(self) -> Numbering:
        return Numbering(HUGE, float)

    def variation(self, width: float | None) -> Variation | None:
        low, high = self.bounds(0.0, 1e12, float)
        return _stepped(int(low), int(high), lambda n: low + n, f"{SPAN}.0")


@register(models.DecimalField)
class DecimalNumber(Number):
    def __init__(self, field: Any, *dialect: Any) -> None:
        super().__init__(field, *dialect)
        self.places = 4 if field.decimal_places is None else field.decimal_places

    def plausible(self, fake: Faker) -> Decimal:
        digits = min(self.field.max_digits or 20, self.places + 5)
        most = Decimal(10**digits - 1).scaleb(-self.places)
        low, high = self.bounds(Decimal(0), most, Decimal)
        step = 10**self.places
        value = fake.random.randint(int(low * step), int(high * step))
        return Decimal(value).scaleb(-self.places)

    def numbering(self) -> Numbering:
        places = self.field.decimal_places or 0
        size = 10 ** (self.field.max_digits or 20) - 1
        return Numbering(size, lambda n: Decimal(n).scaleb(-places))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        # It can count far enough in front of its point only.
        if (self.field.max_digits or 99) - (self.field.decimal_places or 0) > _DIGITS:
            yield from super().formulas(wanted)

    def variation(self, width: float | None) -> Variation | None:
        places = self.places
        most = Decimal(10 ** min(self.field.max_digits or 15, 15) - 1).scaleb(-places)
        low, high = self.bounds(Decimal(0), most, Decimal)
        first, last = int(low * 10**places), int(high * 10**places)
        step = f"{Decimal(SPAN).scaleb(-places):f}"
        return _stepped(first, last, lambda n: Decimal(first + n).scaleb(-places), step, places)

    def extremes(self) -> list[Any]:
        if not self.field.max_digits:
            return []
        largest = 10 ** (self.field.max_digits - (self.field.decimal_places or 0)) - 1
        return list(self.bounds(Decimal(-largest), Decimal(largest), Decimal))


@register(models.BooleanField)
class Boolean(FieldKind):
    has_variety = False

    def plausible(self, fake: Faker) -> bool:
        return bool(fake.random.random() < 0.5)

    def numbering(self) -> Numbering:
        return Numbering(2, lambda n: n == 1)


def _stepped(
    low: int, high: int, at: Callable[[int], Any], step: str, places: int | None = None
) -> Variation | None:
    """Numbers that go up by a span with each round, and begin anew where there is no more room."""
    rounds = (high - low + 1) // SPAN
    if rounds < 1:
        return None

    def write(value: str, number: str) -> str:
        moved = f"({value} + {step} * ({number} % {rounds}))"
        return moved if places is None else f"round({moved}, {places})"

    return Variation(write, at)
