"""Rows that a seed made, of which a table grows by copies.

Each round copies all of them.  Keys and unique values are new; a reference leads to the copy of the
same round, or to the row that it led to where the table of that does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.migrations.state import StateApps

from pytest_membudget.seeding.model_tables import Model, models_by_table, references

_ABOUT = 0.005


@dataclass(frozen=True, eq=False)
class Prototypes:
    """The ``size`` rows of a table: ``values`` by field, in the order of their keys.

    ``named`` says that its row count is asked for.  Where it is not, whole rounds are added, as
    many as ``grown_with``, the growing tables that its rows refer to, have; none without these.
    """

    values: Mapping[str, list[Any]]
    size: int
    named: bool
    grown_with: Collection[Model]

    def numbers(self, target: str, values: list[Any]) -> list[int | None] | None:
        """The rows that have these ``values``, counted from 1; None where one is another row's."""
        places = {value: number for number, value in enumerate(self.values[target], 1)}
        if any(value is not None and value not in places for value in values):
            return None
        return [places.get(value) for value in values]

    def missing(self, count: int) -> int:
        """How many rows are missing to ``count``: whole rounds where that is about as many.

        Sizes of samples are halves of each other, rounded up.
        """
        missing = count - self.size
        whole = round(missing / self.size) * self.size
        return whole if abs(whole - missing) <= _ABOUT * count else missing

    @cached_property
    def nulls(self) -> Mapping[str, float]:
        """The share of NULLs by field."""
        return {name: its.count(None) / self.size for name, its in self.values.items()}


def made_by(
    make: Callable[[], object], apps: StateApps, using: str, named: Collection[str]
) -> dict[Model, Prototypes]:
    """The rows that ``make`` adds, by model.  ``named`` are labels."""
    tables = models_by_table(apps).values()

    def keys(model: Model) -> list[Any]:
        return list(model._base_manager.using(using).order_by("pk").values_list("pk", flat=True))

    before = {model: set(keys(model)) for model in tables}
    make()
    new = {}
    for model in tables:
        if not before[model].issuperset(keys(model)):
            new[model] = _values(model, using, before[model])
    asked = {apps.get_model(label)._meta.concrete_model for label in named}
    growing = _growing(new.keys(), asked)
    return {
        model: Prototypes(
            values=values,
            size=len(next(iter(values.values()))),
            named=model in asked,
            grown_with=[one for _, one in references(model) if one in growing and one is not model],
        )
        for model, values in new.items()
    }


def _values(model: Model, using: str, before: set[Any]) -> dict[str, list[Any]]:
    fields = model._meta.local_concrete_fields
    rows = model._base_manager.using(using).order_by("pk")
    found = rows.values_list("pk", *(field.attname for field in fields))
    new = [row for row in found if row[0] not in before]
    return {field.name: [row[n] for row in new] for n, field in enumerate(fields, 1)}


def _growing(models: Collection[Model], asked: Collection[Any]) -> set[Model]:
    """Those that row counts are asked for, and those whose rows refer to such."""
    growing = {model for model in models if model in asked}
    parents = {model: {one for _, one in references(model)} for model in models}
    while more := {m for m in models if m not in growing and growing & parents[m]}:
        growing |= more
    return growing
