"""The rows of a file, put into the tables of historical models: prototypes of what is seeded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.migrations.state import StateApps

from pytest_membudget.rows.document import RowsFile
from pytest_membudget.sample.lesson import Lesson
from pytest_membudget.seeding.constraints import is_generated, uniques
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.model_tables import Model
from pytest_membudget.seeding.sampled_sources import Source, choose_rows
from pytest_membudget.seeding.sampled_values import learned_values, of_file, without

_REUSED = 1000


class SampledRows:
    """Puts rows of ``file`` into the tables that ``rows`` counts and those that they refer to.

    Columns that the ``lessons`` are about get what a migration expects of them.
    ``generate`` makes some rows of a model, by its label: of parents that the file lacks.
    ``empty`` are tables that have no rows in production.
    """

    def __init__(
        self,
        file: RowsFile,
        apps: StateApps,
        using: str,
        rows: Mapping[str, int],
        generate: Callable[[str, int], object],
        empty: Collection[str] = (),
        lessons: Sequence[Lesson] = (),
    ) -> None:
        self._using = using
        self._lessons = lessons
        self._counts: dict[Any, int] = {
            apps.get_model(label)._meta.concrete_model: number for label, number in rows.items()
        }
        self._generate = generate
        self._sources = choose_rows(file, apps, self._counts, empty)
        self._existing: dict[tuple[Model, str], list[Any]] = {}
        self._later: list[tuple[Model, Any, Field, Any]] = []

    def insert(self) -> None:
        for source in self._sources.values():
            try:
                with transaction.atomic(using=self._using):
                    self._insert(source)
                    list(source.model._base_manager.using(self._using).all()[:_REUSED])
            except Exception:  # a field may raise anything; its rows are generated then
                source.made = {}
            source.is_done = True
        self._refer_later()
        connection = connections[self._using]
        for sql in connection.ops.sequence_reset_sql(no_style(), list(self._sources)):
            with connection.cursor() as cursor:
                cursor.execute(sql)

    def _insert(self, source: Source) -> None:
        model = source.model
        fields = [field for field in model._meta.local_concrete_fields if not is_generated(field)]
        columns = [self._column(source, field) for field in fields]
        key: Any = model._meta.pk
        base: Any = model._base_manager.using(self._using)
        referred = [one for one in fields if one.unique]
        made: dict[str, dict[Any, Any]] = {field.name: {} for field in referred}
        old = {
            field.name: source.values(field) or range(len(source.rows.rows)) for field in referred
        }
        for place in source.chosen:
            values = {f.attname: column[place] for f, column in zip(fields, columns, strict=True)}
            try:
                with transaction.atomic(using=self._using):
                    row = model(**values)
                    base._insert([row], fields=fields, using=self._using, raw=True)
            except Exception:  # masked values break a constraint, or there is such a row
                row = self._same(model, values)
            for field in referred if row else ():
                made[field.name][old[field.name][place]] = getattr(row, field.attname)
            source.made = made
        self._later = [
            one for one in self._later if one[0] is not model or one[1] in made[key.name].values()
        ]

    def _same(self, model: Model, values: Mapping[str, Any]) -> Any:
        """The row that is there with the same unique values, such as that of a content type."""
        rows: Any = model._base_manager.using(self._using)
        key: Any = model._meta.pk
        for unique in uniques(model):
            fields: list[Any] = [model._meta.get_field(name) for name in unique.fields]
            known = {field.attname: values.get(field.attname) for field in fields}
            if unique.condition or key.attname in known or None in known.values():
                continue
            if found := rows.filter(**known).first():
                return found
        return None

    def _column(self, source: Source, field: Field) -> list[Any]:
        """A value for each row of the file.  Raises LookupError where there can't be one."""
        size, model = len(source.rows.rows), source.model
        values = source.values(field)
        if field.is_relation:
            return self._references(source, field, values or [None] * size)
        if field is model._meta.pk and isinstance(field, models.IntegerField):
            last = model._base_manager.using(self._using).aggregate(last=models.Max("pk"))["last"]
            numbers = values if values and all(type(one) is int for one in values) else None
            return [(last or 0) + number for number in numbers or range(1, size + 1)]
        expected = learned_values(model, field, values, self._lessons, self._using)
        if expected is not None:
            return expected
        if values is not None:
            kind = source.rows.columns[str(field.column)].kind
            with suppress(Exception):  # a field may raise anything
                return [of_file(field, value, kind) for value in values]
        possible, default = without(field)
        if not possible:
            raise LookupError(field.name)
        return [default] * size

    def _references(self, source: Source, field: Any, values: list[Any]) -> list[Any]:
        parent, target = field.target_field.model, field.target_field
        its = self._sources.get(parent)
        others: Iterator[int] = count()
        if its is not None and not its.is_done:  # it refers to itself, or they refer to each other
            return self._postponed(source, field, its, values)
        made = dict(its.made.get(target.name, {})) if its is not None else {}
        there = list(made.values()) or self._rows_there(field, parent, target)
        for value in dict.fromkeys(values):
            if value is not None and value not in made and there:
                made[value] = there[next(others) % len(there)]
        found = [made.get(value) for value in values]
        if None in found and not field.null:
            spare = there[0] if there else None
            found = [spare if one is None else one for one in found]
        return found

    def _rows_there(self, field: Any, parent: Model, target: Field) -> list[Any]:
        """Values of rows that are no file's; some are generated where there have to be any."""
        place = parent, target.name
        if place not in self._existing:
            rows: Any = parent._base_manager.using(self._using).order_by("pk")
            found = list(rows.values_list(target.attname, flat=True)[:_REUSED])
            if not found and (not field.null or self._counts.get(parent)):
                self._generate(parent._meta.label, self._counts.get(parent) or _REUSED)
                found = list(rows.values_list(target.attname, flat=True)[:_REUSED])
            self._existing[place] = found
        return self._existing[place]

    def _postponed(
        self, source: Source, field: Any, parent: Source, values: list[Any]
    ) -> list[Any]:
        """NULL for now, where possible."""
        if not field.null:
            raise LookupError(field.name)
        keys = self._column(source, source.model._meta.pk)
        self._later += [
            (source.model, key, field, value)
            for key, value in zip(keys, values, strict=True)
            if value is not None
        ]
        return [None] * len(values)

    def _refer_later(self) -> None:
        for model, key, field, value in self._later:
            target: Any = field
            its = self._sources[target.target_field.model].made.get(target.target_field.name, {})
            if value in its:
                rows: Any = model._base_manager.using(self._using)
                with suppress(Exception), transaction.atomic(using=self._using):
                    rows.filter(pk=key).update(**{field.attname: its[value]})
