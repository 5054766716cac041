"""The tables of a project's state, as its models and the database have them."""

from __future__ import annotations

from typing import Any

from django.db.migrations.state import StateApps
from django.db.models import Model

from pytest_membudget.database.engine import engine_of
from pytest_membudget.processes.messages.orders import StateTables, TableModel


def state_tables(connection: Any, apps: StateApps) -> StateTables:
    """The tables in the database of ``connection``."""
    present = {
        *connection.introspection.table_names(include_views=True),
        *_of_other_schemas(connection, apps),
    }
    models = {
        model._meta.db_table: _describe(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table in present and not model._meta.proxy
    }
    return StateTables(models=models, others=sorted(present - models.keys()))


def uniques(model: type[Model]) -> list[list[str]]:
    """Sets of columns whose values find a single row."""
    meta = model._meta
    sets = [[field.name] for field in meta.local_concrete_fields if field.unique]
    sets += [list(names) for names in meta.unique_together]
    sets += [list(constraint.fields) for constraint in meta.total_unique_constraints]
    return [[str(meta.get_field(name).column) for name in names] for names in sets if names]  # type: ignore[union-attr]


def _describe(model: type[Model]) -> TableModel:
    return TableModel(
        label=model._meta.label,
        parents=sorted(
            field.related_model._meta.db_table
            for field in model._meta.local_concrete_fields
            if field.is_relation and field.related_model is not None
        ),
        uniques=uniques(model),
        through=bool(model._meta.auto_created),
    )


def _of_other_schemas(connection: Any, apps: StateApps) -> list[str]:
    """The tables of models that name a schema: Django's introspection lists none of them."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    named = [table for table in tables if '"."' in table]
    query = engine_of(connection.vendor).missing_tables
    if not named or not query:
        return []
    quoted = [connection.ops.quote_name(table) for table in named]
    with connection.cursor() as cursor:
        cursor.execute(query, [quoted])
        missing = [missing for (missing,) in cursor.fetchall()]
    return [table for table, is_missing in zip(named, missing, strict=True) if not is_missing]
