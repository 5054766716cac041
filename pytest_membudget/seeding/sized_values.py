"""Values of a wished size: for each kind of field that has a width, how to make one of so many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import singledispatch
from math import floor
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding import values
from pytest_membudget.seeding.documents import Documents, words

if TYPE_CHECKING:
    from random import Random

    from faker import Faker

    from pytest_membudget.seeding.dialect import Dialect

    Field = models.Field[Any, Any]

_SPREAD = 0.6
_STRETCH = 40
_EMAIL = ("@example.com", "@a.io")
_URL = ("https://www.example.com/", "http://a.io/")


@dataclass(frozen=True)
class Maker:
    """``make(size, tail)`` is a value of so many units, which ends in ``tail`` if it is a text.

    ``unit`` is about how many bytes one unit takes, exactly so where ``exact``. Sizes of less
    than ``small`` on average are a mixture of empty ones and of ``small`` ones, as in production.
    """

    make: Callable[[int, str], Any]
    unit: float = 1.0
    exact: bool = False
    least: int = 0
    most: float = field(default=float("inf"))
    small: int = 0


@singledispatch
def maker(field: Field, fake: Faker) -> Maker | None:
    """How to make the values of a field, or None if they have no width that could be chosen."""
    return None


@maker.register(models.CharField)
@maker.register(models.TextField)
def _(field: Any, fake: Faker) -> Maker:
    between = "-" if isinstance(field, models.SlugField) else " "
    plain = any(token in field.name for token in values.PROVIDERS)

    def make(size: int, tail: str) -> str:
        if not plain or isinstance(field, models.SlugField):
            return words(size - len(tail), fake.random, between) + tail
        text: str = values.draw(field, fake)[: size - len(tail)]
        missing = size - len(text) - len(tail)
        return text + (f" {words(missing - 1, fake.random)}" if missing else "") + tail

    return Maker(make, exact=True, most=field.max_length or float("inf"))


@maker.register(models.EmailField)
def _(field: Any, fake: Faker) -> Maker:
    return _framed(field, fake, ("", ""), _EMAIL)


@maker.register(models.URLField)
def _(field: Any, fake: Faker) -> Maker:
    return _framed(field, fake, _URL, ("", ""))


@maker.register(models.FileField)
@maker.register(models.FilePathField)
def _(field: Any, fake: Faker) -> Maker:
    end = ".png" if isinstance(field, models.ImageField) else ".pdf"
    return _framed(field, fake, ("files/2024/05/", "f/"), (end, end))


@maker.register(models.CommaSeparatedIntegerField)
def _(field: Any, fake: Faker) -> None:
    return None


@maker.register(models.BinaryField)
def _(field: Any, fake: Faker) -> Maker:
    return Maker(
        lambda size, _: fake.random.randbytes(size),
        exact=True,
        most=field.max_length or float("inf"),
    )


@maker.register(models.JSONField)
def _(field: Any, fake: Faker) -> Maker:
    documents = Documents(fake.random)
    return Maker(lambda size, _: documents.make(size), small=30)


def ratio(field: Field, dialect: Dialect) -> float:
    """How many bytes of such values PostgreSQL compresses to one, see :attr:`Dialect.json_ratio`.

    Measured on PostgreSQL 18: texts of 3 to 50 KB shrink by 1.3 to 1.9.
    """
    if isinstance(field, models.JSONField):
        return dialect.json_ratio
    return 1.7 if isinstance(field, models.CharField | models.TextField) else 1.0


def _framed(field: Any, fake: Faker, starts: tuple[str, str], ends: tuple[str, str]) -> Maker:
    """Text between a start and an end, the shorter ones where there is no room for more."""
    frames = list(zip(starts, ends, strict=True))

    def make(size: int, tail: str) -> str:
        start, end = frames[size < 2 * len("".join(frames[0]))]
        room = size - len(start) - len(end) - len(tail)
        return start + words(room, fake.random, "-") + tail + end

    least = len("".join(frames[1])) + 1
    return Maker(make, exact=True, least=least, most=field.max_length or float("inf"))


def sizes(mean: float, count: int, made: Maker, least: int, dice: Random) -> list[int]:
    """So many sizes that vary around ``mean`` and have just this mean, at every stretch of them."""
    least = max(least, made.least)
    if mean < made.small:
        filled = max(mean, 0) / made.small
        return [made.small * hit for hit in shares(count, filled, dice)]
    mean = min(max(mean, least), made.most)
    room = min(mean - least, made.most - mean, _SPREAD * mean)
    exact: list[float] = []
    while len(exact) < count:
        away = dice.triangular(-room, room)
        exact += [mean - away, mean + away] if len(exact) + 1 < count else [mean]
    found, total, given = [], 0.0, 0
    for size in exact:
        total += size
        found.append(floor(total + 0.5) - given)
        given += found[-1]
    return found


def shares(count: int, share: float, dice: Random) -> list[bool]:
    """So many marks of which a share is set, each short stretch of them having its part of it."""
    marks = [floor((n + 1) * share + 0.5) > floor(n * share + 0.5) for n in range(count)]
    for start in range(0, count, _STRETCH):
        stretch = marks[start : start + _STRETCH]
        dice.shuffle(stretch)
        marks[start : start + _STRETCH] = stretch
    return marks
