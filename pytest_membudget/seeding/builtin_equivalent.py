"""The built-in field that is most like one of a project's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding.values import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

    Field = models.Field[Any, Any]

_STAND_INS: list[tuple[str, Callable[..., Field]]] = [
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
]


def stand_in(field: Field, connection: BaseDatabaseWrapper) -> Field:
    """The field itself, or the built-in one whose column is like its own."""
    if draw.dispatch(type(field)) is not draw.dispatch(models.Field):
        return field
    kind = (field.db_type(connection) or "").lower()
    for pattern, make in _STAND_INS:
        if match := re.match(pattern, kind):
            found = make(**{name: int(text) for name, text in match.groupdict().items()})
            break
    else:
        found = models.TextField()
    found.set_attributes_from_name(field.name)
    return found
