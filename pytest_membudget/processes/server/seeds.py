"""Rows for scratch databases: generated ones, or those of the user's function."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from django.db import transaction
from django.db.migrations.state import StateApps
from django.db.models import Model

from pytest_membudget.budget.request import is_fixture
from pytest_membudget.database.error_text import message, traceback_of
from pytest_membudget.database.free_space import room_for_a_seed
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.errors import NoRoom, SeedError
from pytest_membudget.processes.messages.orders import Seed, Seeded
from pytest_membudget.project.fixtures import load_fixture
from pytest_membudget.rows.document import read_rows_file
from pytest_membudget.seeding import Seeded as Grown
from pytest_membudget.seeding import Seeder
from pytest_membudget.seeding.prototypes import Prototypes, made_by
from pytest_membudget.seeding.sampled_rows import SampledRows
from pytest_membudget.seeding.table import SOME
from pytest_membudget.sql.row_sets import WHOLE_ROW, times_of

T = TypeVar("T")

_PROTOTYPES = 1000


class Seeds:
    """A seeder for each database; it knows which rows it has made there."""

    def __init__(self, scratch: ScratchDatabases) -> None:
        self._alias = scratch.connection.alias
        self._scratch = scratch
        self._seeders: dict[str, Seeder] = {}
        self._copied: dict[str, list[str]] = {}

    def fill(self, order: Seed, apps: StateApps) -> Seeded:
        """Fill the database that is in use.  Raises NoRoom."""
        begin = time.monotonic()
        if order.seed is None or order.grow:
            made = vars(self._grow(order, apps)) | {"copied": self._copied.get(order.name, [])}
        else:
            made = {"rows": _call_seed(order.seed, apps, order.rows, self._alias)}
        self._scratch.release()
        return Seeded(
            **made,
            seconds=time.monotonic() - begin,
            size=self._scratch.size(order.name),
            free=self._scratch.free(),
        )

    def forget(self, name: str) -> None:
        self._seeders.pop(name, None)
        self._copied.pop(name, None)

    def holding(self, name: str, value: Any) -> list[tuple[str, str]]:
        """The columns in which rows that were generated in a database hold a value."""
        return self._seeders[name].holding(value) if name in self._seeders else []

    def _grow(self, order: Seed, apps: StateApps) -> Grown:
        name = order.name
        if name not in self._seeders:
            self._seeders[name] = Seeder(
                apps,
                self._alias,
                forced_values=_fields(apps, order.forced_values),
                shares=_fields(apps, order.shares),
                profile=order.profile,
                lessons=order.lessons,
                largest=order.largest,
                prototypes=self._prototypes(order, apps),
                links=order.seed is None,
            )
        room = room_for_a_seed(self._scratch.free())
        most = room if order.most is None else min(room, order.most)
        try:
            return self._seeders[name].grow(order.rows, most)
        except NoRoom:
            # Its plan counts rows that it has not made.
            self.forget(name)
            raise

    def _sampled(self, order: Seed, apps: StateApps) -> Mapping[type[Model], Prototypes]:
        """Rows of the file, and those that these refer to."""
        assert order.rows_file is not None
        using, profile = self._alias, order.profile or {}
        file = read_rows_file(order.rows_file)

        def generate(label: str, count: int) -> None:
            seeder = Seeder(apps, using, profile=order.profile, lessons=order.lessons)
            seeder.grow({label: min(count, SOME)})

        def is_empty(table: str) -> bool:
            return any(column.rows == 0 for column in profile.get(table, {}).values())

        empty = [table for table in file.tables if is_empty(table)]

        def make() -> None:
            with transaction.atomic(using=using):
                SampledRows(file, apps, using, order.rows, generate, empty, order.lessons).insert()

        made = made_by(make, apps, using, order.rows)
        of_file = [model for model in made if model._meta.db_table in file.tables]
        self._copied[order.name] = sorted(model._meta.label for model in of_file)
        return made

    def _prototypes(self, order: Seed, apps: StateApps) -> Mapping[type[Model], Prototypes]:
        """About a thousand rows, of the user's function or fixture, or some of the file's."""
        seed, using = order.seed, self._alias
        if seed is None:
            return self._sampled(order, apps) if order.rows_file else {}
        # The sizes of samples are halves of each other, so that these hold whole rounds of copies.
        halves = max(0, math.ceil(math.log2(max(order.rows.values()) / _PROTOTYPES)))
        few = {label: math.ceil(n / 2**halves) for label, n in order.rows.items()}

        def make() -> None:
            with _as_seed_error(seed, order.rows), transaction.atomic(using=using):
                if is_fixture(seed):
                    load_fixture(seed, apps, using)
                else:
                    _function(seed)(apps, few, using)

        made = made_by(make, apps, using, order.rows)
        sizes = {model._meta.label: its.size for model, its in made.items()}
        for label, wanted in order.rows.items():
            if not 0 < sizes.get(label, 0) <= wanted and wanted:
                reason = (
                    f"{seed} made {sizes.get(label, 0):,} rows, of which {wanted:,} should grow: "
                    f"make about {few[label]:,}"
                )
                raise SeedError(label, None, reason)
        return made


def _fields(
    apps: StateApps, columns: Mapping[str, Mapping[str, Sequence[T]]]
) -> Mapping[str, Mapping[str, Sequence[T]]]:
    """``columns`` by model label and field name instead of by table and column."""
    return {
        model._meta.label: _of_model(model, columns[model._meta.db_table])
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table in columns and not model._meta.proxy
    }


def _of_model(model: type[Model], columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    names = {str(field.column): field.name for field in model._meta.local_concrete_fields}
    found = {name: columns[column] for column, name in names.items() if column in columns}
    # Of a column that the migration adds and fills, and of one that it computes anew.
    computed = [one for column in columns.keys() - names for one in columns[column]]
    if repeated := [one for one in computed if times_of(one)]:
        found[WHOLE_ROW] = repeated
    return found


def _call_seed(path: str, apps: StateApps, rows: Mapping[str, int], using: str) -> dict[str, int]:
    def count() -> dict[str, int]:
        models = {label: apps.get_model(label) for label in rows}
        return {label: one._base_manager.using(using).count() for label, one in models.items()}

    before = count()
    with _as_seed_error(path, rows), transaction.atomic(using=using):
        _function(path)(apps, dict(rows), using)
    after = count()
    for label, wanted in rows.items():
        made = after[label] - before[label]
        if wanted not in (after[label], made):
            reason = f"{path} created {made:,} rows, but {wanted:,} were requested"
            raise SeedError(label, None, reason)
    return after


def _function(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@contextmanager
def _as_seed_error(path: str, rows: Mapping[str, int]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        reason = f"{path} raised {type(error).__name__}: {message(error)}"
        raise SeedError(next(iter(rows)), None, reason, traceback_of(error)) from error
