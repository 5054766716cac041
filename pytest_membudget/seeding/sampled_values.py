"""Values of a file of rows, as fields of historical models hold them."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64decode
from collections.abc import Sequence
from random import Random
from typing import Any

from django.conf import settings
from django.db import models

from pytest_membudget.rows.values import Kind
from pytest_membudget.sample.lesson import Lesson
from pytest_membudget.seeding.dialects import dialect_of
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import kind_of
from pytest_membudget.seeding.fields.learned import taught


def of_file(field: Field, value: Any, kind: str) -> Any:
    """A value of a ``kind`` as the field holds it; raises whatever the field raises.

    The file may be of a database of another kind, which stores some of them otherwise.
    """
    if value is None:
        return None
    if kind == Kind.BINARY:
        value = b64decode(value)
    if isinstance(field, models.JSONField):
        return value
    if isinstance(field, models.DurationField) and isinstance(value, int):
        return dt.timedelta(microseconds=value)
    if isinstance(value, dict | list) and not hasattr(field, "from_db_value"):
        value = json.dumps(value)  # as arrays and ranges read it
    found = field.to_python(value)
    if isinstance(found, dt.datetime) and settings.USE_TZ and found.tzinfo is None:
        return found.replace(tzinfo=dt.timezone.utc)
    if isinstance(found, str) and getattr(field, "max_length", None):
        return found[: field.max_length]
    return found


def learned_values(
    model: type[models.Model],
    field: Field,
    values: Sequence[Any] | None,
    lessons: Sequence[Lesson],
    using: str,
) -> list[Any] | None:
    """What a migration that broke on masked ``values`` expects of a column, in their place.

    None where it has not broken on any of this column.
    """
    column = model._meta.db_table, str(field.column)
    about = [one for one in lessons if column in one.columns and not one.finds_one]
    if values is None or not about:
        return None
    kind, rng = taught(kind_of(field, dialect_of(using)), column, about), Random(str(column))
    return [None if value is None else kind.plausible(rng) for value in values]


def without(field: Field) -> tuple[bool, Any]:
    """Whether a row can do without a value of the file, and what it gets then."""
    if field.has_default() or field.null or _in_database(field):
        return True, field.get_default()
    return bool(field.blank and field.empty_strings_allowed), ""


def _in_database(field: Field) -> bool:
    """Django has database defaults from 5.0 on."""
    default = getattr(field, "db_default", models.NOT_PROVIDED)
    return default is not models.NOT_PROVIDED
