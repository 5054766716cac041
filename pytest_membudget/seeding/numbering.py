"""The n-th different Python value of a field, for columns that have to be unique."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import singledispatch
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

from pytest_membudget.seeding import values

if TYPE_CHECKING:
    from collections.abc import Callable

    Field = models.Field[Any, Any]

HUGE = 1 << 53
EPOCH = dt.datetime(2000, 1, 1)
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Numbering:
    """``size`` different values, numbered from 1."""

    size: int
    at: Callable[[int], Any]


def numbering(field: Field) -> Numbering:
    if found := values.choices(field):
        return Numbering(len(found), lambda n: found[n - 1])
    return nth(field)


def short_text(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(LETTERS))
        found = LETTERS[digit] + found
    return found


@singledispatch
def nth(field: Field) -> Numbering:
    raise NotImplementedError(type(field).__name__)


@nth.register(models.CharField)
@nth.register(models.TextField)
@nth.register(models.FileField)
@nth.register(models.FilePathField)
def _(field: Any) -> Numbering:
    length = min(field.max_length or 12, 12)
    return Numbering(len(LETTERS) ** length - 1, lambda n: short_text(n, length))


@nth.register(models.IntegerField)
def _(field: Any) -> Numbering:
    low, high = values.bounds(field, 1, HUGE)
    return Numbering(high - low + 1, lambda n: low + n - 1)


@nth.register(models.FloatField)
def _(field: Any) -> Numbering:
    return Numbering(HUGE, float)


@nth.register(models.DecimalField)
def _(field: Any) -> Numbering:
    places = field.decimal_places or 0
    return Numbering(10 ** (field.max_digits or 20) - 1, lambda n: Decimal(n).scaleb(-places))


@nth.register(models.BooleanField)
def _(field: Any) -> Numbering:
    return Numbering(2, lambda n: n == 1)


@nth.register(models.DateTimeField)
def _(field: Any) -> Numbering:
    return Numbering(10**11, lambda n: values.aware(EPOCH + dt.timedelta(seconds=n)))


@nth.register(models.DateField)
def _(field: Any) -> Numbering:
    return Numbering(2_900_000, lambda n: EPOCH.date() + dt.timedelta(days=n))


@nth.register(models.TimeField)
def _(field: Any) -> Numbering:
    return Numbering(
        86_400_000_000 - 1, lambda n: (dt.datetime.min + dt.timedelta(microseconds=n)).time()
    )


@nth.register(models.DurationField)
def _(field: Any) -> Numbering:
    return Numbering(10**12, lambda n: dt.timedelta(seconds=n))


@nth.register(models.UUIDField)
def _(field: Any) -> Numbering:
    return Numbering(HUGE, lambda n: UUID(int=n, version=4))


@nth.register(models.BinaryField)
def _(field: Any) -> Numbering:
    width = min(field.max_length or 8, 8)
    return Numbering(256**width - 1, lambda n: n.to_bytes(width, "big"))


@nth.register(models.GenericIPAddressField)
def _(field: Any) -> Numbering:
    if field.protocol.lower() == "ipv6":
        return Numbering(HUGE, lambda n: str(IPv6Address((0x20010DB8 << 96) + n)))
    return Numbering((255 << 24) - 1, lambda n: str(IPv4Address((1 << 24) + n)))


@nth.register(models.JSONField)
def _(field: Any) -> Numbering:
    return Numbering(HUGE, lambda n: {"id": n, "name": f"number {n}"})
