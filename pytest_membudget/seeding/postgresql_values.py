"""Values for the fields of ``django.contrib.postgres``; importing this registers them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.postgres import fields
from django.contrib.postgres.search import SearchVectorField

from pytest_membudget.seeding.documents import words
from pytest_membudget.seeding.numbering import HUGE, Numbering, nth
from pytest_membudget.seeding.numbering import numbering as numbered
from pytest_membudget.seeding.sized_values import Maker, maker
from pytest_membudget.seeding.values import choices, draw

if TYPE_CHECKING:
    from faker import Faker

_LENGTH = 3
_STOCK = 200


@draw.register(fields.ArrayField)
def _(field: Any, fake: Faker) -> list[Any]:
    base = _named(field)
    allowed = choices(base)
    count = field.size or _LENGTH
    return (
        fake.random.choices(allowed, k=count)
        if allowed
        else [draw(base, fake) for _ in range(count)]
    )


@nth.register(fields.ArrayField)
def _(field: Any) -> Numbering:
    items = numbered(_named(field))
    return Numbering(items.size, lambda n: [items.at(n)] * (field.size or _LENGTH))


@maker.register(fields.ArrayField)
def _(field: Any, fake: Faker) -> Maker:
    base = _named(field)
    stock = choices(base) or [draw(base, fake) for _ in range(_STOCK)]
    return Maker(
        lambda size, _: fake.random.choices(stock, k=size),
        unit=8,
        most=field.size or float("inf"),
    )


def _named(field: Any) -> Any:
    if not getattr(field.base_field, "name", None):
        field.base_field.set_attributes_from_name(field.name)
    return field.base_field


@draw.register(fields.HStoreField)
def _(field: Any, fake: Faker) -> dict[str, str]:
    return {word: fake.city() for word in fake.words(4)}


@maker.register(fields.HStoreField)
def _(field: Any, fake: Faker) -> Maker:
    def make(size: int, _: str) -> dict[str, str]:
        return {f"{words(8, fake.random, '-')}{n}": words(12, fake.random) for n in range(size)}

    return Maker(make, unit=30)


@nth.register(fields.HStoreField)
def _(field: Any) -> Numbering:
    return Numbering(HUGE, lambda n: {"id": str(n)})


@draw.register(fields.RangeField)
def _(field: Any, fake: Faker) -> tuple[Any, Any]:
    first = draw(_named(field), fake)
    return first, first + _step(first)


@nth.register(fields.RangeField)
def _(field: Any) -> Numbering:
    items = nth(_named(field))

    def at(number: int) -> tuple[Any, Any]:
        first = items.at(number)
        return first, first + _step(first)

    return Numbering(items.size - 1, at)


def _step(value: Any) -> Any:
    """The distance of two numbered values, so that numbered ranges touch and never overlap."""
    if isinstance(value, dt.datetime):
        return dt.timedelta(seconds=1)
    return dt.timedelta(days=1) if isinstance(value, dt.date) else 1


@draw.register(SearchVectorField)
def _(field: Any, fake: Faker) -> str:
    return " ".join(fake.words(12))


@maker.register(SearchVectorField)
def _(field: Any, fake: Faker) -> Maker:
    return Maker(lambda size, _: words(size, fake.random))


@nth.register(SearchVectorField)
def _(field: Any) -> Numbering:
    return Numbering(HUGE, lambda n: f"number {n}")
