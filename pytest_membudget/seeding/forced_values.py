"""Columns that hold what statements ask for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import models

from pytest_membudget.seeding.columns import Column, ConstantColumn, SingleValueColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind
from pytest_membudget.sql.documents import decoded


def storable_values(field: Field, wanted: Sequence[Any], unique: bool) -> list[Any] | None:
    """Those of the values that the column can hold; none for one that was just added.

    None where the column is free, since it can't hold what is asked for.
    """
    free = not (field.is_relation or unique)
    if all(value is None for value in wanted):
        return [] if free or field.null else None
    found = []
    if isinstance(field, models.JSONField):  # statements have it as a text
        wanted = [decoded(value) for value in wanted]
    for value in wanted if free else ():
        with suppress(Exception):  # a field may raise anything
            if isinstance(value, str) and isinstance(field, models.CharField):
                value = value[: field.max_length]
            found += [field.to_python(value)] if value is not None or field.null else []
    return found or None


def forced_column(field: Field, kind: FieldKind, values: list[Any]) -> Column | None:
    """A column of these values, or what rows get when it is added to their table.

    None where rows can get nothing, so that the column is like any other.
    """
    if not values and field.null:
        values = [None]
    elif not values and field.has_default():
        values = [field.get_default()]
        if values != [field.get_default()]:
            # The value of a clock or of chance would make each run another one.
            return SingleValueColumn(field, kind)
    elif not values and field.blank and field.empty_strings_allowed:
        values = [""]
    return ConstantColumn(field, kind, values=values) if values else None
