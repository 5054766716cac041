"""The built-in field that is most like one of a project's own."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from pytest_membudget.seeding.dialects.base import Field

_BY_COLUMN: list[tuple[str, Callable[..., Field]]] = [
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
