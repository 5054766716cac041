"""Integers, decimals, floats and booleans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from math import ceil, floor
from random import Random
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.fields.base import (
    HUGE,
    SPAN,
    FieldKind,
    Variation,
    WantedValues,
    register,
)
from pytest_membudget.seeding.sequences import Formula, Numbering, shifted

_DIGITS = 9


class Number(FieldKind):
    """A number of steps, of which ``places`` say how small one is."""

    counts_on = True
    places = 0
    convert: Callable[[Any], Any] = int
    usual: Any
    most: Any
    extreme: Any = 10**9
    """The largest plausible value, the largest one of all, and one above those of other columns."""
    below = 10**99
    """The bound of values that need not be unique."""

    def value(self, steps: int) -> Any:
        return self.convert(Decimal(steps).scaleb(-self.places))

    def plausible(self, rng: Random) -> Any:
        return self.value(rng.randint(*self._steps(min(self.usual, self.below))))

    def numbering(self) -> Numbering:
        low, high = self._steps(self.most)
        return Numbering(high - low + 1, lambda n: self.value(low + n - 1))

    def variation(self, width: float | None) -> Variation | None:
        """They go up by a span with each round, and begin anew where there is no more room."""
        low, high = self._steps(min(self.most, self.below))
        rounds, span = (high - low + 1) // SPAN, Decimal(SPAN).scaleb(-self.places)

        def write(value: str, number: str) -> str:
            return self.exact(f"({value} + {span:f} * ({number} % {rounds}))")

        return Variation(write, lambda n: self.value(low + n)) if rounds else None

    def exact(self, moved: str) -> str:
        return moved

    def extremes(self) -> list[Any]:
        return list(self.bounds(-self.extreme, self.extreme))

    def _steps(self, most: Any) -> tuple[int, int]:
        low, high = self.bounds(self.value(1), most)
        return int(low * 10**self.places), int(high * 10**self.places)

    def _whole(self, low: int, high: int) -> tuple[int, int]:
        least, most = self.bounds(low, high)
        return ceil(least), floor(most)

    def bounds(self, low: Any, high: Any) -> tuple[Any, Any]:
        """``low`` and ``high``, moved to where the column and the validators allow them to be."""
        limits = BaseDatabaseOperations.integer_field_ranges.get(self.field.get_internal_type())
        least, most = ([limit] for limit in limits) if limits else ([], [])
        for validator in self.field.validators:
            if isinstance(validator, MinValueValidator | MaxValueValidator):
                value = validator.limit_value
                limit = self.convert(value() if callable(value) else value)
                (least if isinstance(validator, MinValueValidator) else most).append(limit)
        low = max([low, *least])
        high = max(low, high)
        return min([low, *most]), min([high, *most])

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        low, high = self._whole(wanted.after + 1, HUGE)
        yield shifted(str, low - 1, high - low + 1)
        least, _ = self._whole(-HUGE, HUGE)
        for literal in wanted.literals:
            if isinstance(literal, int | float | Decimal) and not isinstance(literal, bool):
                for start in (int(literal) - 1, int(literal), int(literal) - 10**8):
                    start = max(start, wanted.after or least - 1)
                    yield shifted(str, start, high - start)


@register(models.IntegerField)
class Integer(Number):
    unique_rank = 4
    usual, most = 1_000_000, HUGE


@register(models.FloatField)
class Float(Number):
    places = 3
    convert = float
    usual, most = 10_000.0, 1e12


@register(models.DecimalField)
class DecimalNumber(Number):
    convert = Decimal

    def __init__(self, field: Any, dialect: Dialect) -> None:
        super().__init__(field, dialect)
        self.places = 4 if field.decimal_places is None else field.decimal_places
        self.whole = (field.max_digits or 99) - self.places
        digits = field.max_digits or 15
        self.usual = self.value(10 ** min(digits, self.places + 5) - 1)
        self.most = self.value(10 ** min(digits, 15) - 1)
        self.extreme = Decimal(10 ** min(self.whole, 15) - 1)

    def exact(self, moved: str) -> str:
        return f"round({moved}, {self.places})"

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        # It can count far enough in front of its point only.
        return super().formulas(wanted) if self.whole > _DIGITS else iter(())


@register(models.BooleanField)
class Boolean(FieldKind):
    has_variety = False

    def plausible(self, rng: Random) -> bool:
        return bool(rng.random() < 0.5)

    def numbering(self) -> Numbering:
        return Numbering(2, lambda n: n == 1)
