"""The kind of a field, by its class or else by the type of its column."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from random import Random

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from pytest_membudget.seeding.dialects.base import Dialect, Field
from pytest_membudget.seeding.fields.base import FieldKind, register, registered_kind
from pytest_membudget.seeding.fields.json import JsonText
from pytest_membudget.seeding.fields.text import LongText, Text
from pytest_membudget.seeding.sequences import Numbering

# These fields need the client library, which takes a quarter of a second to import.
_POSTGRESQL = "django.contrib.postgres"
# A shorter text holds no document.
_DOCUMENT = 256

# PostgreSQL's types that Django has no field for, each with a value that it takes; see its
# documentation, chapter "Data Types".
_LITERALS = {
    r".*\[\d*\]$": "{}",
    r"bit(?! varying)": "0",
    r"bit varying|varbit": "0101",
    r"money": "12.30",
    r"xml": "<a>b</a>",
    r"point": "(1,2)",
    r"line$": "{1,2,3}",
    r"lseg|box": "((0,0),(1,1))",
    r"path|polygon": "((0,0),(1,1),(2,0))",
    r"circle": "<(0,0),1>",
    r"(int4|int8|num)(multi)?range": "empty",
    r"(ts|tstz|date)(multi)?range": "empty",
    r"tsvector|tsquery": "word",
    r"jsonpath": "$.a",
    r"ltree|lquery": "a.b",
    r"oid|xid8?": "1",
    r"pg_lsn": "0/1",
}


class Literal(models.Field):  # type: ignore[type-arg]
    """Stands in for a column of which one valid value is known."""

    def __init__(self, *, text: str) -> None:
        super().__init__()
        self.text = text


@register(Literal)
class LiteralKind(FieldKind):
    has_variety = False

    def plausible(self, rng: Random) -> str:
        return str(self.field.text)

    def numbering(self) -> Numbering:
        return Numbering.of([self.field.text])


class MacAddress(models.Field):  # type: ignore[type-arg]
    """Stands in for a column of ``macaddr`` or ``macaddr8``."""

    def __init__(self, *, octets: int) -> None:
        super().__init__()
        self.octets = octets


@register(MacAddress)
class MacAddressKind(FieldKind):
    def plausible(self, rng: Random) -> str:
        return self._address(rng.randrange(self._size))

    def numbering(self) -> Numbering:
        return Numbering(self._size, self._address)

    @property
    def _size(self) -> int:
        return int(1 << 8 * (self.field.octets - 1))

    def _address(self, number: int) -> str:
        """One that an administrator may give: the first octet says so, see IEEE 802."""
        return ":".join(["02", *re.findall("..", f"{number:0{2 * self.field.octets - 2}x}")])


_BY_COLUMN: list[tuple[str, Callable[..., Field]]] = [
    *[(pattern, partial(Literal, text=text)) for pattern, text in _LITERALS.items()],
    (r".*char.*\((?P<max_length>\d+)\)", models.CharField),
    (r".*(text|char|clob)", models.TextField),
    (r"(numeric|decimal)\((?P<max_digits>\d+),\s*(?P<decimal_places>\d+)\)", models.DecimalField),
    (r"big|int8", models.BigIntegerField),
    (r"small|int2", models.SmallIntegerField),
    (r"int(?!erval)|serial", models.IntegerField),
    (r"double|real|float|numeric|decimal", models.FloatField),
    (r"bool", models.BooleanField),
    (r"uuid", models.UUIDField),
    (r"json", models.JSONField),
    (r"timestamp|datetime", models.DateTimeField),
    (r"date", models.DateField),
    (r"time", models.TimeField),
    (r"interval", models.DurationField),
    (r"bytea|blob", models.BinaryField),
    (r"inet|cidr", models.GenericIPAddressField),
    (r"macaddr8", partial(MacAddress, octets=8)),
    (r"macaddr", partial(MacAddress, octets=6)),
    (r"", models.TextField),
]


def builtin_equivalent(field: Field, connection: BaseDatabaseWrapper) -> Field:
    """The built-in field whose column is like that of ``field``."""
    column = (field.db_type(connection) or "").lower()
    [found, *_] = (
        make(**{name: int(text) for name, text in match.groupdict().items()})
        for pattern, make in _BY_COLUMN
        if (match := re.match(pattern, column))
    )
    found.choices = field.choices
    found.set_attributes_from_name(field.name)
    return found


def kind_of(field: Field, dialect: Dialect) -> FieldKind:
    """The kind of a field, or of the built-in field whose column is like its own."""
    if any(base.__module__.startswith(_POSTGRESQL) for base in type(field).__mro__):
        import_module("pytest_membudget.seeding.fields.postgresql")
    kind = registered_kind(field)
    if kind in (Text, LongText) and dialect is not None and dialect.json_texts:
        long = field.max_length is None or field.max_length >= _DOCUMENT
        kind = JsonText if long and not field.choices else kind
    if kind is not None:
        return kind(field, dialect)
    return kind_of(builtin_equivalent(field, dialect.connection), dialect)
