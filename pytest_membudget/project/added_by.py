"""Which migration adds each table and column of today's models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from django.db.migrations import operations
from django.db.migrations.operations.base import Operation

from pytest_membudget.project.graph import Key, history

_TABLE = ""
# An app, a model and a field of it, in lower case but for the field; _TABLE is its table.
Place = tuple[str, str, str]


class Additions:
    """Where each place comes from by its present name; loads the project's migrations."""

    def __init__(self) -> None:
        self._found: dict[Place, Key] = {}
        self._columns: dict[Place, str | None] = {}
        project = history()
        for key in project.order():
            if key in project.loader.graph.nodes:
                for operation in _flat(project.loader.graph.nodes[key].operations):
                    self._follow(key, operation)

    def before(self) -> dict[str, frozenset[str]]:
        """By migration, those that are applied where it is, and itself."""
        graph = history().loader.graph
        keys = dict.fromkeys(self._found.values())
        return {".".join(key): frozenset(map(".".join, graph.forwards_plan(key))) for key in keys}

    def of(self, model: type[models.Model]) -> dict[str, str]:
        """By column, and for the table by "", where it is known."""
        owner: Any = model._meta.auto_created
        if owner:
            # The table of a ManyToManyField is added with it.
            fields = owner._meta.local_many_to_many
            name = next(one.name for one in fields if one.remote_field.through is model)
            found = {_TABLE: self._key(owner, name)}
        else:
            found = {_TABLE: self._key(model, _TABLE)}
            for field in model._meta.local_concrete_fields:
                if field.column:  # a composite key has none
                    found[field.column] = self._key(model, field.name)
        return {column: ".".join(key) for column, key in found.items() if key}

    def _key(self, model: type[models.Model], name: str) -> Key | None:
        return self._found.get((model._meta.app_label, model._meta.model_name or "", name))

    def _follow(self, key: Key, operation: Operation) -> None:
        app = key[0]
        if isinstance(operation, operations.CreateModel):
            model = operation.name_lower
            self._found[app, model, _TABLE] = key
            for name, field in operation.fields:
                self._add((app, model, name), key, field)
        elif isinstance(operation, operations.AddField):
            self._add((app, operation.model_name_lower, operation.name), key, operation.field)
        elif isinstance(operation, operations.AlterField):
            place = app, operation.model_name_lower, operation.name
            if self._columns.get(place) != operation.field.db_column:
                self._add(place, key, operation.field)
        elif isinstance(operation, operations.RenameField):
            model = operation.model_name_lower
            column = self._columns.pop((app, model, operation.old_name), None)
            added = self._found.pop((app, model, operation.old_name), key)
            place = app, model, operation.new_name
            self._found[place], self._columns[place] = added if column else key, column
        elif isinstance(operation, operations.RenameModel):
            old, new = operation.old_name_lower, operation.new_name_lower
            for place in [one for one in self._found if one[:2] == (app, old)]:
                renamed = app, new, place[2]
                self._found[renamed] = self._found.pop(place)
                self._columns[renamed] = self._columns.pop(place, None)
            self._found[app, new, _TABLE] = key
        elif isinstance(operation, operations.AlterModelTable):
            self._found[app, operation.name_lower, _TABLE] = key

    def _add(self, place: Place, key: Key, field: models.Field[Any, Any]) -> None:
        self._found[place], self._columns[place] = key, field.db_column


def _flat(found: Iterable[Operation]) -> Iterator[Operation]:
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _flat(operation.state_operations)
        else:
            yield operation
