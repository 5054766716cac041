"""The models of a state that have tables of their own, and what their rows refer to."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations.state import StateApps

Model = type[models.Model]


def models_by_table(apps: StateApps) -> dict[str, Model]:
    return {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    }


def references(model: Model) -> list[tuple[Any, Model]]:
    """The fields that refer to rows, with the models of these."""
    fields: Any = model._meta.local_concrete_fields
    return [(field, field.target_field.model) for field in fields if field.is_relation]
