"""Kinds of values that a migration expects of a column, as it broke on others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

from django.db import models

from pytest_membudget.sample.lesson import FILE_NAME, Expected, Lesson
from pytest_membudget.seeding.fields.base import FieldKind, SizedValues, WantedValues
from pytest_membudget.seeding.fields.json import Json, JsonText
from pytest_membudget.seeding.fields.numbers import Number
from pytest_membudget.seeding.fields.text import Text
from pytest_membudget.seeding.sequences import Formula, Numbering

_FIRST = dt.datetime(2015, 1, 1)
_DAYS = 3650


def taught(kind: FieldKind, column: tuple[str, str], lessons: Sequence[Lesson]) -> FieldKind:
    """The kind of a column with what is known to be expected of it."""
    for lesson in lessons:
        if lesson.expected == Expected.BELOW and isinstance(kind, Number):
            kind.below = min(kind.below, lesson.asked[0])
        if column not in lesson.columns or kind.choices:
            continue
        if lesson.expected == Expected.VALUES:
            kind = OneOf(kind.field, kind.dialect, lesson.asked)
        if isinstance(kind, Text) and (made := _TEXTS.get(lesson.expected)):
            kind = made(kind.field, kind.dialect)
        if isinstance(kind, Json | JsonText) and lesson.expected == Expected.KEYS:
            kind.paths = [*kind.paths, *lesson.asked]
        if isinstance(kind, DateText) and lesson.asked:
            [kind.format] = lesson.asked
    return kind


class OneOf(FieldKind):
    has_variety = False

    def __init__(self, field: Any, dialect: Any, values: list[Any]) -> None:
        super().__init__(field, dialect)
        self.values = values

    def plausible(self, rng: Random) -> Any:
        return rng.choice(self.values)

    def numbering(self) -> Numbering:
        return Numbering.of(self.values)


class NumberText(Text):
    """Digits of at most nine places after zeros, so that each fits an integer column."""

    shape = None
    ending_width, most_marks = 3, 6

    def plausible(self, rng: Random) -> str:
        return self._digits(min(self.limit or 9, 9), str(rng.randrange(10**9)))

    def numbering(self) -> Numbering:
        width = min(self.limit or 9, 9)
        return Numbering(10**width - 1, lambda n: f"{n:0{width}}")

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        width = min(self.limit or 9, 9)

        def write(number: str) -> str:
            return self.dialect.digits.format(f"({number} + {wanted.after})", width)

        yield Formula(10**width - 1 - wanted.after, write)

    def sized(self, rng: Random) -> SizedValues:
        def make(size: int, ending: str) -> str:
            return self._digits(size, ending or str(rng.randrange(10**9)))

        return SizedValues(make, exact=True, least=1, most=self.limit or float("inf"))

    def ending(self, place: int, width: float) -> str:
        return f"{place:0{self.ending_width}}"[-max(1, int(width)) :]

    def _digits(self, size: int, ending: str) -> str:
        return ending.rjust(size, "0")[-size:]


class DateText(Text):
    shape = None
    format = "%Y-%m-%d"

    def plausible(self, rng: Random) -> str:
        return (_FIRST + dt.timedelta(rng.randrange(_DAYS))).strftime(self.format)

    def numbering(self) -> Numbering:
        return Numbering(_DAYS, lambda n: (_FIRST + dt.timedelta(n)).strftime(self.format))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        return iter(())

    def sized(self, rng: Random) -> None:
        """All are of one width."""

    def variation(self, width: float | None) -> None:
        """There are not enough days to be worth it."""


class FileName(Text):
    """The name of a file that runs have in MEDIA_ROOT."""

    has_variety = False

    def plausible(self, rng: Random) -> str:
        end = ".png" if isinstance(self.field, models.ImageField) else ".pdf"
        return f"{FILE_NAME}{end}"

    def numbering(self) -> Numbering:
        return Numbering.of([self.plausible(Random())])

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        return iter(())

    def sized(self, rng: Random) -> None:
        """There is one file only."""

    def variation(self, width: float | None) -> None:
        """There is one file only."""


class UuidText(Text):
    shape = None
    ending_width = 3

    def plausible(self, rng: Random) -> str:
        return self._text(rng.getrandbits(128))

    def numbering(self) -> Numbering:
        return Numbering(1 << 53, self._text)

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        return iter(())

    def sized(self, rng: Random) -> SizedValues:
        width = len(self._text(0))

        def make(size: int, ending: str) -> str:
            return self.plausible(rng)[: width - len(ending)] + ending

        return SizedValues(make, exact=True, least=width, most=width)

    def ending(self, place: int, width: float) -> str:
        return f"{place:03}"

    def _text(self, number: int) -> str:
        text = str(UUID(int=number, version=4))
        return text.replace("-", "") if (self.limit or 36) < 36 else text


_TEXTS: dict[Expected, type[Text]] = {
    Expected.NUMBER: NumberText,
    Expected.DATE: DateText,
    Expected.UUID: UuidText,
    Expected.JSON: JsonText,
    Expected.FILE: FileName,
}
