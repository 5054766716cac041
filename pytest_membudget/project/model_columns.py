"""What the models of the project say about the columns of a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps

from pytest_membudget.rows.tables import Place

CONTENT_TYPES = "django_content_type"
PERMISSIONS = "auth_permission"


def references(table: str) -> dict[str, Place]:
    """Those of the model, which need no constraint in the database."""
    found: dict[str, Place] = {}
    for field in _fields(table):
        if field.is_relation and field.remote_field:
            target: Any = field.target_field
            found[str(field.column)] = target.model._meta.db_table.strip('"'), str(target.column)
    return found


def choices(table: str) -> Mapping[str, Collection[Any]]:
    return {
        str(field.column): {value for value, _ in field.flatchoices}
        for field in _fields(table)
        if field.choices
    }


def _fields(table: str) -> list[Any]:
    return [field for model in _models(table) for field in model._meta.local_concrete_fields]


def _models(table: str) -> list[Any]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table.strip('"') == table and not model._meta.proxy
    ]


def generic(table: str) -> Mapping[str, str]:
    """The columns that refer to rows of any table, each with that of the content type."""
    found = {}
    for model in _models(table):
        for field in model._meta.private_fields:
            names = getattr(field, "fk_field", None), getattr(field, "ct_field", None)
            if all(names) and not hasattr(field, "object_id_field_name"):
                id_column, type_column = (model._meta.get_field(name).column for name in names)
                found[id_column] = type_column
    return found


def table_of(label: tuple[str, str]) -> str | None:
    """The table of the model with this label; None where there is none any more."""
    try:
        return str(apps.get_model(*label)._meta.db_table.strip('"'))
    except LookupError:
        return None


def labels(table: str) -> Mapping[str, Collection[str]]:
    """By column, what the code of the project is called, in Django's tables of that."""
    models = apps.get_models(include_auto_created=True)
    if table == CONTENT_TYPES:
        return {
            "app_label": {model._meta.app_label for model in models},
            "model": {str(model._meta.model_name) for model in models},
        }
    if table == PERMISSIONS:
        names = {
            f"{action}_{model._meta.model_name}"
            for model in models
            for action in model._meta.default_permissions
        }
        return {"codename": names | {name for m in models for name, _ in m._meta.permissions}}
    return {}
