"""Fields of the kinds that projects write themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from ipaddress import ip_address

from django.db import models


class Trimmed(models.CharField):
    """Differs from its base in what forms see only."""

    def formfield(self, **kwargs):
        return super().formfield(**kwargs, strip=True)


class Encoded(models.TextField):
    """Cannot be loaded unless it was stored through the field."""

    def get_prep_value(self, value):
        return None if value is None else base64.b64encode(value.encode()).decode()

    def from_db_value(self, value, expression, connection):
        return None if value is None else base64.b64decode(value, validate=True).decode()


@dataclass(frozen=True)
class Money:
    cents: int


class MoneyField(models.Field):
    """No built-in field among its bases, and its values are objects."""

    def db_type(self, connection):
        return "bigint"

    def to_python(self, value):
        return value if value is None or isinstance(value, Money) else Money(int(value))

    def get_prep_value(self, value):
        return None if value is None else value.cents

    def from_db_value(self, value, expression, connection):
        return None if value is None else Money(value)


@dataclass(frozen=True)
class Color:
    name: str


class ColorField(models.CharField):
    """Knows three values, which nobody can guess; the default is one of them."""

    known = ("red", "green", "blue")

    def to_python(self, value):
        if isinstance(value, Color):
            return value
        if value not in self.known:
            raise ValueError(f"{value!r} is no colour")
        return Color(value)

    def get_prep_value(self, value):
        return None if value is None else self.to_python(value).name

    def from_db_value(self, value, expression, connection):
        return None if value is None else self.to_python(value)


class Bits(models.Field):
    """A column type that is like no built-in one."""

    def db_type(self, connection):
        return "bit(3)" if connection.vendor == "postgresql" else "bits"


class PackedAddress(models.BinaryField):
    """Bytes in the database, but only those of an address."""

    def to_python(self, value):
        return value if isinstance(value, str | None) else str(ip_address(bytes(value)))

    def get_db_prep_value(self, value, connection, prepared=False):
        packed = None if value is None else ip_address(self.to_python(value)).packed
        return super().get_db_prep_value(packed, connection, prepared)

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)


class Span(models.TextField):
    """Takes two numbers only, as its default has them."""

    def to_python(self, value):
        return None if value is None else "-".join(map(str, map(int, value.split("-"))))


class Sealed(models.TextField):
    """What this field has stored it can never load."""

    def from_db_value(self, value, expression, connection):
        raise ValueError("the seal is broken")
