"""The fields of ``django.contrib.postgres``."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from django.contrib.postgres import fields
from django.contrib.postgres.search import SearchVectorField

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.fields.base import HUGE, FieldKind, SizedValues, register
from pytest_membudget.seeding.fields.by_column import kind_of
from pytest_membudget.seeding.fields.words import SHAPES, WORDS, shaped, words
from pytest_membudget.seeding.sequences import Numbering

_LENGTH = 3
_STOCK = 200


class Container(FieldKind):
    def __init__(self, field: Any, dialect: Dialect) -> None:
        super().__init__(field, dialect)
        if not getattr(field.base_field, "name", None):
            field.base_field.set_attributes_from_name(field.name)
        self.items = kind_of(field.base_field, dialect)


@register(fields.ArrayField)
class Array(Container):
    @property
    def length(self) -> int:
        return self.field.size or _LENGTH

    def plausible(self, rng: Random) -> list[Any]:
        if allowed := self.items.choices:
            return list(rng.choices(allowed, k=self.length))
        return [self.items.plausible(rng) for _ in range(self.length)]

    def numbering(self) -> Numbering:
        items = self.items.distinct()
        return Numbering(items.size, lambda n: [items.at(n)] * self.length)

    def sized(self, rng: Random) -> SizedValues:
        stock = self.items.choices or [self.items.plausible(rng) for _ in range(_STOCK)]
        most = self.field.size or float("inf")
        return SizedValues(lambda size, _: rng.choices(stock, k=size), unit=8, most=most)


@register(fields.RangeField)
class Range(Container):
    def plausible(self, rng: Random) -> tuple[Any, Any]:
        return _range(self.items.plausible(rng))

    def numbering(self) -> Numbering:
        starts = self.items.numbering()
        return Numbering(starts.size - 1, lambda n: _range(starts.at(n)))


@register(fields.HStoreField)
class HStore(FieldKind):
    def plausible(self, rng: Random) -> dict[str, str]:
        return {word: shaped(SHAPES["city"], rng) for word in rng.sample(WORDS, 4)}

    def numbering(self) -> Numbering:
        return Numbering(HUGE, lambda n: {"id": str(n)})

    def sized(self, rng: Random) -> SizedValues:
        def make(size: int, _: str) -> dict[str, str]:
            return {f"{words(8, rng, '-')}{n}": words(12, rng) for n in range(size)}

        return SizedValues(make, unit=30)


@register(SearchVectorField)
class SearchVector(FieldKind):
    def plausible(self, rng: Random) -> str:
        return words(80, rng)

    def numbering(self) -> Numbering:
        return Numbering(HUGE, lambda n: f"number {n}")

    def sized(self, rng: Random) -> SizedValues:
        return SizedValues(lambda size, _: words(size, rng))


def _range(first: Any) -> tuple[Any, Any]:
    """It ends where the next numbered one begins, so that they touch and never overlap."""
    if isinstance(first, dt.datetime):
        return first, first + dt.timedelta(seconds=1)
    return first, first + (dt.timedelta(days=1) if isinstance(first, dt.date) else 1)
