"""The rows of a file that are used: of which tables, and which ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from django.db.migrations.state import StateApps

from pytest_membudget.rows.document import RowsFile, TableRows
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.model_tables import Model, models_by_table, references


@dataclass(eq=False)
class Source:
    """The rows of the file for a table.

    ``chosen`` are the places of those that are used.  ``made`` are the new values by those of the
    file, of each field that others refer to; rows that were refused are not among them.
    """

    model: Model
    rows: TableRows
    most: int | None
    chosen: list[int] = attribute(default_factory=list)
    made: dict[str, dict[Any, Any]] = attribute(default_factory=dict)
    is_done: bool = False

    def values(self, field: Field) -> list[Any] | None:
        """Those of a field in all rows; None where the file does not have it."""
        columns = list(self.rows.columns)
        if field.column not in columns:
            return None
        place = columns.index(str(field.column))
        return [row[place] for row in self.rows.rows]

    def choose(self, referred: Collection[int]) -> None:
        """The rows that others refer to, and as many more as are asked for, of all of the file."""
        size = len(self.rows.rows)
        if self.most is None:
            self.chosen = sorted(referred)
            return
        first = sorted(referred)[: self.most]
        others = [n for n in range(size) if n not in set(first)]
        more = min(self.most - len(first), len(others))
        self.chosen = sorted([*first, *(others[n * len(others) // more] for n in range(more))])


def choose_rows(
    file: RowsFile, apps: StateApps, counts: Mapping[Any, int], empty: Collection[str]
) -> dict[Model, Source]:
    """By model, those first that others refer to.

    Of the models that ``counts`` has, the links of their rows, and all that these refer to; not of
    the tables that are ``empty`` in production.
    """
    known = {
        model: file.tables[table]
        for table, model in models_by_table(apps).items()
        if table in file.tables and file.tables[table].rows
        if counts.get(model, table not in empty)
    }
    wanted = [model for model in known if model in counts]
    wanted += [
        through
        for model in wanted
        for many in model._meta.local_many_to_many
        if (through := many.remote_field.through) in known and through._meta.auto_created
    ]
    sources: dict[Model, Source] = {}
    while wanted:
        model = wanted.pop()
        if model not in sources:
            rows = known[model]
            most = counts.get(model, len(rows.rows) if model._meta.auto_created else None)
            sources[model] = Source(model, rows, most)
            wanted += [parent for _, parent in references(model) if parent in known]
    order = list(_parents_first(sources))
    for model in reversed(order):
        sources[model].choose(_referred(sources[model], sources.values()))
    return {model: sources[model] for model in order}


def _parents_first(models: Collection[Model]) -> Iterator[Model]:
    left = dict.fromkeys(models)
    while left:
        free = [
            model
            for model in left
            if not any(one in left and one is not model for _, one in references(model))
        ]
        for model in free or [next(iter(left))]:
            del left[model]
            yield model


def _referred(source: Source, sources: Collection[Source]) -> set[int]:
    """The places of rows that chosen rows of other tables refer to."""
    found: set[int] = set()
    for other in sources:
        for field, parent in references(other.model):
            values = other.values(field) if parent is source.model else None
            if values is not None and other is not source:
                wanted = {values[n] for n in other.chosen} - {None}
                there = source.values(field.target_field) or []
                found.update(n for n, value in enumerate(there) if value in wanted)
    return found
