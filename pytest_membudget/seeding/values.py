"""A plausible Python value for each kind of field, found along the field's base classes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import singledispatch
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations

if TYPE_CHECKING:
    from collections.abc import Callable

    from faker import Faker

    Field = models.Field[Any, Any]

PROVIDERS = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "user_name": "user_name",
    "username": "user_name",
    "phone": "phone_number",
    "country_code": "country_code",
    "country": "country",
    "currency": "currency_code",
    "city": "city",
    "postcode": "postcode",
    "zip": "postcode",
    "street": "street_address",
    "address": "address",
    "company": "company",
    "url": "url",
    "name": "name",
}


def choices(field: Field) -> list[Any]:
    return [value for value, _ in field.flatchoices if value not in (None, "")]


def aware(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.timezone.utc) if settings.USE_TZ else moment


def bounds(
    field: Field, low: Any, high: Any, convert: Callable[[Any], Any] = int
) -> tuple[Any, Any]:
    """``low`` and ``high``, moved to where the column and the validators allow them to be."""
    limits = BaseDatabaseOperations.integer_field_ranges.get(field.get_internal_type())
    least, most = limits or (None, None)
    for validator in field.validators:
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


def extremes(field: Field) -> list[Any]:
    """A very small and a very large value, to stand below or above whatever else a row holds."""
    if isinstance(field, models.IntegerField | models.FloatField):
        return list(bounds(field, -(10**9), 10**9))
    if isinstance(field, models.DecimalField) and field.max_digits:
        largest = 10 ** (field.max_digits - (field.decimal_places or 0)) - 1
        return list(bounds(field, Decimal(-largest), Decimal(largest), Decimal))
    if isinstance(field, models.DateTimeField):
        return [aware(dt.datetime(1900, 1, 1)), aware(dt.datetime(2200, 1, 1))]
    if isinstance(field, models.DateField):
        return [dt.date(1900, 1, 1), dt.date(2200, 1, 1)]
    return []


def text(fake: Faker, length: int) -> str:
    if length < 5:
        return fake.lexify("?" * length)
    return fake.text(length).replace("\n", " ")


@singledispatch
def draw(field: Field, fake: Faker) -> Any:
    """A value as a model instance would hold it, never None."""
    raise NotImplementedError(type(field).__name__)


@draw.register(models.CharField)
def _(field: Any, fake: Faker) -> str:
    limit = field.max_length or 120
    for token, provider in PROVIDERS.items():
        if token in field.name:
            return str(getattr(fake, provider)())[:limit]
    shortest, longest = (limit // 2, limit) if limit <= 20 else (limit // 4, limit // 2)
    return text(fake, fake.random.randint(max(shortest, 1), longest))


@draw.register(models.TextField)
def _(field: Any, fake: Faker) -> str:
    return text(fake, fake.random.randint(120, 280))[: field.max_length]


@draw.register(models.EmailField)
def _(field: Any, fake: Faker) -> str:
    return str(fake.email())[-field.max_length :]


@draw.register(models.URLField)
def _(field: Any, fake: Faker) -> str:
    return f"{fake.url()}{'/'.join(fake.words(3))}/"[: field.max_length]


@draw.register(models.SlugField)
def _(field: Any, fake: Faker) -> str:
    return "-".join(fake.words(max(1, field.max_length // 14)))[: field.max_length]


@draw.register(models.CommaSeparatedIntegerField)
def _(field: Any, fake: Faker) -> str:
    return ",".join(str(fake.random.randint(1, 9)) for _ in range((field.max_length + 1) // 2))


@draw.register(models.FileField)
@draw.register(models.FilePathField)
def _(field: Any, fake: Faker) -> str:
    kind = "png" if isinstance(field, models.ImageField) else "pdf"
    folder = getattr(field, "upload_to", "") or "files/"
    folder = folder if isinstance(folder, str) and "%" not in folder else "files/2024/05/"
    return f"{folder.rstrip('/')}/{'-'.join(fake.words(3))}.{kind}"[-field.max_length :]


@draw.register(models.IntegerField)
def _(field: Any, fake: Faker) -> int:
    return int(fake.random.randint(*bounds(field, 1, 1_000_000)))


@draw.register(models.FloatField)
def _(field: Any, fake: Faker) -> float:
    return float(round(fake.random.uniform(*bounds(field, 0.0, 10_000.0, float)), 3))


@draw.register(models.DecimalField)
def _(field: Any, fake: Faker) -> Decimal:
    places = field.decimal_places if field.decimal_places is not None else 4
    digits = min(field.max_digits or 20, places + 5)
    low, high = bounds(field, Decimal(0), Decimal(10**digits - 1).scaleb(-places), Decimal)
    step = 10**places
    return Decimal(fake.random.randint(int(low * step), int(high * step))).scaleb(-places)


@draw.register(models.BooleanField)
def _(field: Any, fake: Faker) -> bool:
    return bool(fake.random.random() < 0.5)


@draw.register(models.DateTimeField)
def _(field: Any, fake: Faker) -> dt.datetime:
    seconds = fake.random.randint(0, 10 * 365 * 86400)
    return aware(dt.datetime(2015, 1, 1) + dt.timedelta(seconds=seconds))


@draw.register(models.DateField)
def _(field: Any, fake: Faker) -> dt.date:
    return dt.date(2015, 1, 1) + dt.timedelta(days=fake.random.randint(0, 3650))


@draw.register(models.TimeField)
def _(field: Any, fake: Faker) -> dt.time:
    return (dt.datetime.min + dt.timedelta(seconds=fake.random.randint(0, 86399))).time()


@draw.register(models.DurationField)
def _(field: Any, fake: Faker) -> dt.timedelta:
    return dt.timedelta(seconds=fake.random.randint(1, 30 * 86400))


@draw.register(models.UUIDField)
def _(field: Any, fake: Faker) -> UUID:
    return UUID(int=fake.random.getrandbits(128), version=4)


@draw.register(models.BinaryField)
def _(field: Any, fake: Faker) -> bytes:
    return bytes(fake.random.randbytes(min(field.max_length or 128, 128)))


@draw.register(models.GenericIPAddressField)
def _(field: Any, fake: Faker) -> str:
    if field.protocol.lower() == "ipv6":
        return str(IPv6Address(0x20010DB8 << 96 | fake.random.getrandbits(64)))
    return str(IPv4Address(fake.random.randint(1 << 24, (1 << 32) - 1)))


@draw.register(models.JSONField)
def _(field: Any, fake: Faker) -> dict[str, Any]:
    return {
        "id": fake.random.randint(1, 1_000_000),
        "name": fake.name(),
        "active": fake.random.random() < 0.5,
        "score": round(fake.random.uniform(0, 100), 2),
        "tags": fake.words(3),
        "address": {"street": fake.street_address(), "city": fake.city(), "zip": fake.postcode()},
        "note": fake.text(110),
        "parent": None,
    }
