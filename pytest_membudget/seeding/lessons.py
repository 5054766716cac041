"""What a migration that broke on generated rows expected of them, and which column it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.db import models, transaction

from pytest_membudget.sample.lesson import Expected, Lesson
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.table import Table

# A shorter text holds no document.
_DOCUMENT = 256
# So many digits may end another number.
_SHORT = 3
# Python cuts the texts that it quotes.
_CUT = 150


def columns_holding(tables: Iterable[Table], value: Any) -> list[tuple[str, str]]:
    """The columns, by table, in which generated rows hold a text or a document; with an empty text
    all columns of long ones.
    """
    found = []
    for table in tables:
        rows = table.rows
        before = table.existing - (table.prototypes.size if table.prototypes else 0)
        there = list(rows.order_by("pk").values_list("pk", flat=True)[:before])
        for field in table.fields.values():
            for lookup in _lookups(field, value):
                # A field of the project's own may refuse any value.
                with suppress(Exception), transaction.atomic(using=rows.db):
                    if rows.filter(**lookup).exclude(pk__in=there).exists():
                        found.append((table.model._meta.db_table, str(field.column)))
    return found


def _lookups(field: Field, value: Any) -> Iterator[dict[str, Any]]:
    """What finds the rows where a field holds the value."""
    is_text = isinstance(field, models.CharField | models.TextField | models.FileField)
    if value == "":
        if is_text and (field.max_length is None or field.max_length >= _DOCUMENT):
            yield {}
    elif isinstance(value, int):
        if isinstance(field, models.IntegerField) and not field.primary_key:
            yield {field.name: value}
        elif is_text:
            # It may have zeros before it.
            lookup = f"{field.name}__endswith" if len(str(value)) > _SHORT else field.name
            yield {lookup: str(value)}
    elif isinstance(value, str):
        if is_text:
            yield {f"{field.name}__startswith" if len(value) > _CUT else field.name: value}
    elif isinstance(field, models.JSONField):
        yield {field.name: value}
    elif is_text:
        yield {field.name: json.dumps(value)}


def looked_up(table: Table, lessons: Iterable[Lesson]) -> list[dict[Field, Any]]:
    """The values of the single rows that the code looks up, by field; empty for other tables'."""
    return [
        {
            field: value
            for field in table.fields.values()
            for column, value in zip(lesson.columns, lesson.asked, strict=True)
            if column == (table.model._meta.db_table, str(field.column))
        }
        for lesson in lessons
        if lesson.expected == Expected.ROW
    ]


def others(field: Field, value: Any) -> list[Any]:
    """The values of the rows that are not looked up, where a field has only a few."""
    if isinstance(field, models.BooleanField):
        return [not value]
    return [one for one, _ in field.flatchoices if one != value]


def look_up_rows(tables: Sequence[Table], lessons: Sequence[Lesson]) -> None:
    """Give one of the first rows of tables that have just got some what the code looks up."""
    for table in tables:
        if table.have:
            continue
        rows = table.rows
        for number, values in enumerate(looked_up(table, lessons)):
            row = (
                rows.order_by("pk")[table.existing + number :].values_list("pk", flat=True).first()
            )
            # Another rule of the table may forbid it.
            with suppress(Exception), transaction.atomic(using=rows.db):
                held = {field.attname: value for field, value in values.items()}
                possible = values and all(_can_be_set(*one, rows.db) for one in values.items())
                if possible and not rows.filter(**held).exists():
                    rows.filter(pk=row).update(**held)


def _can_be_set(field: Any, value: Any, using: str) -> bool:
    """Whether it is no key, or one of a row that is there."""
    if field.primary_key:
        return False
    if not field.is_relation:
        return True
    parents = field.related_model._base_manager.using(using)
    return bool(parents.filter(**{field.target_field.name: value}).exists())
