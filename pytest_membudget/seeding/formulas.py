"""Formulas for the n-th value of a unique column, to be computed inside the database."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

from pytest_membudget.seeding import values
from pytest_membudget.seeding.dialect import Dialect
from pytest_membudget.seeding.numbering import EPOCH, HUGE, LETTERS
from pytest_membudget.seeding.sequences import Domain, Formula

if TYPE_CHECKING:
    Field = models.Field[Any, Any]

_DIGITS = 9
_FILLER = "some-plausible-text-of-an-ordinary-width-for-a-unique-value-"
_SPELLED = 6
"""Letters and digits that suffice for a different text in each row."""


def formulas(
    field: Field,
    after: int,
    literals: list[Any],
    exact: bool,
    dialect: Dialect,
    width: float | None,
) -> Iterator[Domain]:
    """Formulas for a unique field, the plain one first, then those that a rule might ask for.

    ``after`` is the largest number in use already, or the count of rows for what is no number.
    ``width`` is what a text's should be on average, where that is known.
    """
    if isinstance(field, models.IntegerField | models.FloatField) or _roomy(field):
        yield from _numbers(field, after, literals)
    elif isinstance(field, models.UUIDField):
        prefix = UUID(int=_digest(field) << 64, version=4).hex[:20]
        if dialect.connection.features.has_native_uuid_field:
            prefix = "-".join([prefix[:8], prefix[8:12], prefix[12:16], prefix[16:20], ""])
        yield Formula(1 << 44, lambda n: dialect.uuid(f"({n} + {after})", prefix))
    elif isinstance(field, models.DateTimeField):
        if not exact:
            yield Formula(2_900_000, lambda n: dialect.moment(f"86400 * ({n} + {after})"))
        yield from _moments(dialect.moment, after, literals, 86400, 10**11)
    elif isinstance(field, models.DateField):
        yield from _moments(dialect.date, after, literals, 1, 2_900_000)
    elif isinstance(
        field, models.CharField | models.TextField | models.FileField | models.FilePathField
    ):
        yield from _texts(field, after, literals, dialect, width)


def _roomy(field: Field) -> bool:
    """Can a decimal field count far enough in front of its point?"""
    return isinstance(field, models.DecimalField) and (
        (field.max_digits or 99) - (field.decimal_places or 0) > _DIGITS
    )


def _numbers(field: Field, after: int, literals: list[Any]) -> Iterator[Domain]:
    low, high = values.bounds(field, after + 1, HUGE)
    yield _shifted(str, low - 1, high - low + 1)
    least, _ = values.bounds(field, -HUGE, HUGE)
    for literal in literals:
        if isinstance(literal, int | float | Decimal) and not isinstance(literal, bool):
            for start in (int(literal) - 1, int(literal), int(literal) - 10**8):
                start = max(start, after if after else least - 1)
                yield _shifted(str, start, high - start)


def _moments(
    write: Callable[[str], str], after: int, literals: list[Any], day: int, size: int
) -> Iterator[Domain]:
    starts = [after]
    for literal in literals:
        if isinstance(literal, dt.date):
            days = literal.toordinal() - EPOCH.toordinal() + 1
            starts += [days * day, (days - 3650) * day]
    yield from (_shifted(write, start, size - abs(start)) for start in starts)


def _shifted(write: Callable[[str], str], start: int, size: int) -> Formula:
    return Formula(size, lambda n: write(f"({n} + {start})"))


def _texts(
    field: Any, after: int, literals: list[Any], dialect: Dialect, width: float | None
) -> Iterator[Domain]:
    if width is not None:
        yield from _padded(field, after, dialect, round(min(width, field.max_length or width)))
    limit = field.max_length or 120
    if isinstance(field, models.EmailField):
        frames = [("someone.else.", "@example.com"), ("u", "@a.io")]
    elif isinstance(field, models.URLField):
        frames = [("https://www.example.com/some/longer/path/", "/"), ("http://a.io/", "")]
    elif isinstance(field, models.FileField | models.FilePathField):
        frames = [("files/2024/05/", ".png" if isinstance(field, models.ImageField) else ".pdf")]
    else:
        frames = [(_FILLER[-max(1, min(limit // 3, 60) - _DIGITS) :].lstrip("-"), "")]
    frames += [(literal, "") for literal in literals if isinstance(literal, str)]
    frames += [("", ""), ("A", "")]
    for prefix, suffix in frames:
        if len(prefix) + _DIGITS + len(suffix) <= limit:
            yield _framed(prefix, suffix, after, dialect)
    if limit < 2 * _DIGITS:
        width = min(limit, 10)
        for letters in (LETTERS, LETTERS.upper(), "0123456789"):
            yield _spelled(letters, width, after)


def _padded(field: Any, after: int, dialect: Dialect, width: int) -> Iterator[Domain]:
    """Texts of this width on average, the number between a filler of varying length and the end."""
    start, end = "", ""
    if isinstance(field, models.EmailField):
        end = "@example.com" if width > 30 else "@a.io"
    elif isinstance(field, models.URLField):
        start = "https://www.example.com/" if width > 40 else "http://a.io/"
    elif isinstance(field, models.FileField | models.FilePathField):
        end = ".png" if isinstance(field, models.ImageField) else ".pdf"
    filled = width - len(start) - _DIGITS - len(end)
    if filled < 0:
        if not start and not end:
            yield _spelled(LETTERS, min(field.max_length or _DIGITS, max(width, _SPELLED)), after)
        return
    away = min(filled, (field.max_length or 2 * width) - width, width // 2)
    filler = dialect.literal((_FILLER * ((filled + away) // len(_FILLER) + 1))[: filled + away])
    begin, stop = dialect.literal(start), dialect.literal(end)

    def write(number: str) -> str:
        length = f"CAST({filled - away} + ({number}) % {2 * away + 1} AS integer)"
        shown = dialect.digits(f"({number} + {after})", _DIGITS)
        return f"({begin} || substr({filler}, 1, {length}) || {shown} || {stop})"

    yield Formula(10**_DIGITS - 1 - after, write)


def _framed(prefix: str, suffix: str, after: int, dialect: Dialect) -> Formula:
    start, end = dialect.literal(prefix), dialect.literal(suffix)

    def write(number: str) -> str:
        return f"({start} || {dialect.digits(f'({number} + {after})', _DIGITS)} || {end})"

    return Formula(10**_DIGITS - 1 - after, write)


def _spelled(letters: str, width: int, after: int) -> Formula:
    base = len(letters)

    def write(number: str) -> str:
        places = (base**place for place in reversed(range(width)))
        return " || ".join(
            f"substr('{letters}', CAST(({number} + {after}) / {place} % {base} + 1 AS integer), 1)"
            for place in places
        )

    return Formula(base**width - 1 - after, write)


def _digest(field: Field) -> int:
    return zlib.crc32(f"{field.model._meta.label}.{field.name}".encode()) << 32
