"""Texts of ordinary words, slugs, e-mail addresses, URLs and paths of files."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.fields.base import (
    FieldKind,
    SizedValues,
    Variation,
    WantedValues,
    register,
)
from pytest_membudget.seeding.fields.words import LETTERS, SHAPES, shaped, short_text, words
from pytest_membudget.seeding.sequences import Formula, Numbering

_FILLER = "some-plausible-text-of-an-ordinary-width-for-a-unique-value-"
_DIGITS = 9
_SPELLED = 6
"""Letters and digits that suffice for a different text in each row."""

Frame = tuple[str, str]


@register(models.CharField)
class Text(FieldKind):
    unique_rank = 1
    compression = 1.7  # Measured on PostgreSQL 18: texts of 3 to 50 KB shrink by 1.3 to 1.9.
    between = " "
    frames: tuple[Frame, ...] = (("", ""),)
    """What stands before and after the words; the shorter frame where there is no room."""
    ending_width, most_marks = 2, 7
    """Letters that tell the template's texts apart, and at most so many digits for the round."""

    @property
    def shape(self) -> str | None:
        """What the name of the field says of its values."""
        return next((shape for part, shape in SHAPES.items() if part in self.field.name), None)

    @property
    def limit(self) -> int | None:
        limit: int | None = self.field.max_length
        return limit

    def plausible(self, rng: Random) -> str:
        limit = self.limit or 120
        if self.shape:
            return shaped(self.shape, rng)[:limit]
        most = limit if limit <= 20 else limit * 7 // 20
        return words(rng.randint(limit // 5 + 1, most), rng)

    def numbering(self) -> Numbering:
        length = min(self.limit or 12, 12)
        return Numbering(len(LETTERS) ** length - 1, lambda n: short_text(n, length))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        limit, after, width = self.limit or 120, wanted.after, wanted.width
        if width is None and not any(self.frames[0]):
            width = max(_DIGITS, min(limit // 3, 60))
        if width is not None:
            width = round(min(width, self.limit or width))
            frame = self._frame(width)
            filled = width - len("".join(frame)) - _DIGITS
            if filled >= 0:
                yield self._framed(frame, after, filled)
            elif not any(frame):
                most = min(self.limit or _DIGITS, max(width, _SPELLED))
                yield self._spelled(LETTERS, most, after)
        literals = [(one, "") for one in wanted.literals if isinstance(one, str)]
        for frame in [*self.frames, *literals, ("", ""), ("A", "")]:
            if len("".join(frame)) + _DIGITS <= limit:
                yield self._framed(frame, after)
        if limit < 2 * _DIGITS:
            for letters in (LETTERS, LETTERS.upper(), "0123456789"):
                yield self._spelled(letters, min(limit, 10), after)

    def sized(self, rng: Random) -> SizedValues | None:
        def make(size: int, ending: str) -> str:
            start, end = self._frame(size)
            room = size - len(start) - len(end) - len(ending)
            return start + self._filled(room, rng) + ending + end

        shortest = len("".join(self.frames[-1]))
        least, most = shortest and shortest + 1, self.limit or float("inf")
        return SizedValues(make, exact=True, least=least, most=most)

    def ending(self, place: int, width: float) -> str:
        return short_text(place, min(self.ending_width, max(1, int(width))))

    def variation(self, width: float | None) -> Variation | None:
        if width is None:
            limit = self.limit
            width = 0.75 * limit / (1 + (limit > 20)) if limit else 200
        width = min(width, self.limit or width)
        if width < self.ending_width + 1:
            return None
        count = min(self.most_marks, max(1, int(width) - self.ending_width - 2))
        marks = "#" * count

        def write(value: str, number: str) -> str:
            shown = self.dialect.digits.format(f"({number} % {10**count})", count)
            return f"replace({value}, '{marks}', {shown})"

        return Variation(write, width=width, marks=marks)

    def _filled(self, size: int, rng: Random) -> str:
        if self.between == "-" or not self.shape:
            return words(size, rng, self.between)
        text = self.plausible(rng)[:size]
        missing = size - len(text)
        return text + (f" {words(missing - 1, rng)}" if missing else "")

    def _frame(self, size: int) -> Frame:
        return self.frames[size < 2 * len("".join(self.frames[0]))]

    def _framed(self, frame: Frame, after: int, filled: int = 0) -> Formula:
        """The number in a frame, after a filler of varying length, of this length on average."""
        start, end = map(self.dialect.literal, frame)
        width = filled + len("".join(frame)) + _DIGITS
        away = min(filled, (self.limit or 2 * width) - width, width // 2)
        most = filled + away
        filler = self.dialect.literal((_FILLER * (most // len(_FILLER) + 1))[:most])

        def write(number: str) -> str:
            length = f"CAST({filled - away} + ({number}) % {2 * away + 1} AS integer)"
            shown = self.dialect.digits.format(f"({number} + {after})", _DIGITS)
            return self.dialect.joined([start, f"substr({filler}, 1, {length})", shown, end])

        return Formula(10**_DIGITS - 1 - after, write)

    def _spelled(self, letters: str, width: int, after: int) -> Formula:
        base, quotient = len(letters), self.dialect.quotient.format

        def write(number: str) -> str:
            places = (
                f"{quotient(f'({number} + {after})', base**place)} % {base} + 1"
                for place in reversed(range(width))
            )
            return self.dialect.joined(
                f"substr('{letters}', CAST({place} AS integer), 1)" for place in places
            )

        return Formula(base**width - 1 - after, write)


@register(models.TextField)
class LongText(Text):
    unique_rank = 2
    shape = None

    def plausible(self, rng: Random) -> str:
        return words(rng.randint(90, 212), rng)[: self.limit]


@register(models.SlugField)
class Slug(Text):
    between = "-"

    @property
    def shape(self) -> str:
        return "-".join("*" * max(1, self.field.max_length // 14))


@register(models.CommaSeparatedIntegerField)
class CommaSeparatedIntegers(Text):
    def plausible(self, rng: Random) -> str:
        return self._filled(self.field.max_length, rng)

    def variation(self, width: float | None) -> None:
        return None

    def ending(self, place: int, width: float) -> str:
        return ""

    def _filled(self, size: int, rng: Random) -> str:
        return f"{','.join(rng.choices('123456789', k=size // 2))}12"[:size]


@register(models.EmailField)
class Email(Text):
    between = "-"
    frames = (("", "@example.com"), ("", "@a.io"))

    def plausible(self, rng: Random) -> str:
        return shaped(SHAPES["email"], rng)[-self.field.max_length :]


@register(models.URLField)
class Url(Text):
    between = "-"
    frames = (("https://www.example.com/", ""), ("http://a.io/", ""))
    shape = "https://www.*.com/*/*/*/"


@register(models.FileField, models.FilePathField)
class File(Text):
    between = "-"
    unique_rank = 5

    def __init__(self, field: Any, dialect: Dialect) -> None:
        super().__init__(field, dialect)
        end = ".png" if isinstance(field, models.ImageField) else ".pdf"
        self.frames = (("files/2024/05/", end), ("f/", end))

    def plausible(self, rng: Random) -> str:
        folder = getattr(self.field, "upload_to", "") or "files/"
        folder = folder if isinstance(folder, str) and "%" not in folder else "files/2024/05/"
        end = self.frames[0][1]
        return f"{folder.rstrip('/')}/{shaped('*-*-*', rng)}{end}"[-self.field.max_length :]
