"""Columns that have to hold what was asked for, or look as if they had just been added."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import models

from pytest_membudget.seeding.columns import Column, ConstantColumn, SingleValueColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind


def storable_values(field: Field, wanted: Sequence[Any], unique: bool) -> list[Any] | None:
    """Those of the values that the column can hold; none for one that was just added.

    None where the column is free, since it can't hold what is asked for.
    """
    free = not (field.is_relation or unique)
    if all(value is None for value in wanted):
        return [] if free or field.null else None
    found = []
    for value in wanted if free else ():
        with suppress(Exception):  # a field may raise anything
            found += [field.to_python(value)] if value is not None or field.null else []
    return found or None


def is_left_to_database(field: Field, values: list[Any]) -> bool:
    """Is it the database that fills the column when it is added to a table?"""
    python = values or field.null or field.has_default()
    # Django has database defaults from 5.0 on.
    default = getattr(field, "db_default", models.NOT_PROVIDED)
    return not python and default is not models.NOT_PROVIDED


def forced_column(field: Field, kind: FieldKind, values: list[Any]) -> Column | None:
    """A column of these values, or what rows get when it is added to their table.

    None where rows can get nothing, so that the column is like any other.
    """
    if values:
        return ConstantColumn(field, kind, values=values)
    if field.null:
        return ConstantColumn(field, kind, values=[None])
    if field.has_default():
        first, second = field.get_default(), field.get_default()
        if first == second:
            return ConstantColumn(field, kind, values=[first])
        # The value of a clock or of chance would make each run another one.
        return SingleValueColumn(field, kind)
    if field.blank and field.empty_strings_allowed:
        return ConstantColumn(field, kind, values=[""])
    return None
