"""The stage: everything that is done to scratch databases, one method an order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.db import connections, transaction
from django.db.migrations.state import StateApps
from django.db.models import Model

from pytest_membudget.database.error_text import message, traceback_of
from pytest_membudget.database.fingerprint import digest
from pytest_membudget.database.free_space import room_for_a_seed
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.errors import NoRoom, SeedError, ServerError
from pytest_membudget.processes.server.states import Templates
from pytest_membudget.project.graph import Key, history_with
from pytest_membudget.seeding import Seeder
from pytest_membudget.seeding.column_stats import stats_by_column


class DatabaseServer:
    """Orders on one alias.  Arguments and answers are plain JSON values.

    ``tell`` is told of each migration that is applied to build a state.
    """

    def __init__(
        self,
        alias: str,
        scratch: ScratchDatabases,
        empty: str,
        tell: Callable[[str], None] = lambda progress: None,
    ) -> None:
        self._alias = alias
        self._scratch = scratch
        self._connection = connections[alias]
        self._templates = Templates(self._connection, scratch, empty, tell)
        self._apps: tuple[tuple[Key, ...], StateApps] | None = None
        self._seeders: dict[str, Seeder] = {}

    def describe(self) -> dict[str, Any]:
        version = ".".join(map(str, self._connection.get_database_version()))
        self._scratch.release()
        return {"vendor": self._connection.vendor, "version": version}

    def prepare(self, applied: list[list[str]], labels: list[str]) -> dict[str, Any]:
        """Make a database at the state where ``applied`` are applied.

        The answer has its ``name``, the ``tables`` by label, and the ``uniques`` by table: sets of
        columns of which values find a single row.
        """
        keys = _keys(applied)
        with _building():
            name = self._scratch.clone(self._templates.get(keys))
        apps = self._state_apps(keys)
        models = {label: apps.get_model(label) for label in labels}
        return {
            "name": name,
            "tables": {label: model._meta.db_table for label, model in models.items()},
            "uniques": {model._meta.db_table: _uniques(model) for model in models.values()},
        }

    def weigh(self, migrations: list[list[str]], after: list[list[str]]) -> dict[str, int] | None:
        """What applying ``migrations`` to empty tables took; ``after`` has them applied.

        The answer has what they have ``grown`` and ``risen``, as a Mark has it of one, and how many
        ``models`` there are ``after``.  None where the kernel keeps no such figures.
        """
        keys, marks = _keys(migrations), self._templates.marks.of
        if not keys or any(key not in marks for key in keys):
            with _building():
                self._templates.get(_keys(after))
        found = [marks[key] for key in keys if key in marks]
        if len(found) < len(keys):
            return None
        return {
            "grown": sum(mark.grown for mark in found),
            "risen": max((mark.risen for mark in found), default=0),
            "models": self._templates.models,
        }

    def tables(self, applied: list[list[str]]) -> dict[str, Any]:
        """The state's tables: ``models`` by table, and ``others``, tables and views without one.

        Of a model there are its ``label``, the ``parents`` that it refers to, its ``uniques``, sets
        of columns of which values find a single row, and whether it stands for the ``through``
        table of a ManyToManyField.
        """
        keys = _keys(applied)
        with _building():
            self._scratch.use(self._templates.get(keys))
        try:
            present = {
                *self._connection.introspection.table_names(include_views=True),
                *self._of_other_schemas(self._state_apps(keys)),
            }
        finally:
            self._scratch.release()
        models = {
            model._meta.db_table: {
                "label": model._meta.label,
                "parents": sorted(
                    field.related_model._meta.db_table
                    for field in model._meta.local_concrete_fields
                    if field.is_relation and field.related_model is not None
                ),
                "uniques": _uniques(model),
                "through": bool(model._meta.auto_created),
            }
            for model in self._state_apps(keys).get_models(include_auto_created=True)
            if model._meta.db_table in present and not model._meta.proxy
        }
        return {"models": models, "others": sorted(present - models.keys())}

    def _of_other_schemas(self, apps: StateApps) -> list[str]:
        """The tables of models that name a schema: Django's introspection lists none of them."""
        tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
        named = [table for table in tables if '"."' in table]
        if not named or self._connection.vendor != "postgresql":
            return []
        quoted = [self._connection.ops.quote_name(table) for table in named]
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(name) IS NULL FROM unnest(%s::text[]) name", [quoted]
            )
            missing = [missing for (missing,) in cursor.fetchall()]
        return [table for table, is_missing in zip(named, missing, strict=True) if not is_missing]

    def count(self, name: str, tables: list[str]) -> dict[str, int]:
        """How many rows each of ``tables`` has in ``name``."""
        self._scratch.use(name)
        quote = self._connection.ops.quote_name
        try:
            with self._connection.cursor() as cursor:
                return {
                    table: cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}").fetchone()[0]
                    for table in tables
                }
        finally:
            self._scratch.release()

    def seed(
        self,
        name: str,
        applied: list[list[str]],
        rows: dict[str, int],
        forced_values: dict[str, dict[str, list[Any]]],
        seed: str | None,
        shape: dict[str, dict[str, dict[str, Any]]] | None = None,
        most: int | None = None,
    ) -> dict[str, Any]:
        """Fill ``name`` up to ``rows``, with the user's ``seed`` where there is one.

        Raises NoRoom where the rows would take more than ``most`` bytes, or than there is room for.
        ``shape`` holds the attributes of a ColumnStats by table and column. It counts for the first
        rows of a database, which later ones go on from.
        """
        begin = time.monotonic()
        profile_mismatches: dict[str, list[str]] = {}
        held: dict[str, dict[str, list[Any]]] = {}
        apps = self._state_apps(_keys(applied))
        self._scratch.use(name)
        try:
            if seed is None:
                if name not in self._seeders:
                    self._seeders[name] = Seeder(
                        apps,
                        self._alias,
                        forced_values=_fields(apps, forced_values),
                        profile=stats_by_column(shape),
                    )
                room = room_for_a_seed(self._scratch.free())
                seeded = self._seeders[name].grow(rows, room if most is None else min(room, most))
                there, widths = seeded.rows, seeded.widths
                profile_mismatches, held = seeded.profile_mismatches, seeded.forced_values
            else:
                there, widths = _call_seed(seed, apps, rows, self._alias), {}
        except NoRoom:
            # It has planned what it could not make.
            self._seeders.pop(name, None)
            raise
        finally:
            self._scratch.release()
        return {
            "seeded": there,
            "widths": widths,
            "profile_mismatches": profile_mismatches,
            "forced_values": held,
            "seconds": time.monotonic() - begin,
            "bytes": self._scratch.size(name),
            "free": self._scratch.free(),
        }

    def clone(self, name: str) -> str:
        return self._scratch.clone(name)

    def activity(self, name: str) -> dict[str, Any]:
        """What the server counted in ``name`` after a run; empty where it can't be told."""
        return self._scratch.activity(name)

    def digest(self, name: str) -> dict[str, str]:
        """A fingerprint of each table's rows, whatever their order; see database/fingerprint.py."""
        self._scratch.use(name)
        try:
            return digest(self._connection)
        finally:
            self._scratch.release()

    def refusals(self) -> list[str]:
        """The databases that earlier migrations, receivers and seeds were not let open."""
        return self._scratch.target.refusals()

    def drop(self, name: str) -> None:
        self._seeders.pop(name, None)
        self._scratch.drop(name)

    def _state_apps(self, keys: list[Key]) -> StateApps:
        wanted = tuple(keys)
        if self._apps is None or self._apps[0] != wanted:
            self._apps = (wanted, history_with(keys).state(keys).apps)
        return self._apps[1]


@contextmanager
def _building() -> Iterator[None]:
    """Whatever a migration, a receiver or the database raises while a state is built."""
    try:
        yield
    except ServerError:
        raise
    except Exception as error:
        raise ServerError(
            "the state before the migration could not be built: "
            f"{type(error).__name__}: {message(error)}",
            traceback_of(error),
        ) from error


def _keys(names: list[list[str]]) -> list[Key]:
    return [(app_label, name) for app_label, name in names]


def _uniques(model: type[Model]) -> list[list[str]]:
    meta = model._meta
    sets = [[field.name] for field in meta.local_concrete_fields if field.unique]
    sets += [list(names) for names in meta.unique_together]
    sets += [list(constraint.fields) for constraint in meta.total_unique_constraints]
    return [[str(meta.get_field(name).column) for name in names] for names in sets if names]  # type: ignore[union-attr]


def _fields(
    apps: StateApps, columns: Mapping[str, Mapping[str, list[Any]]]
) -> dict[str, dict[str, list[Any]]]:
    """What is said of columns by table, by model label and field name."""
    return {
        model._meta.label: {
            field.name: columns[model._meta.db_table][str(field.column)]
            for field in model._meta.local_concrete_fields
            if field.column in columns[model._meta.db_table]
        }
        for model in apps.get_models()
        if model._meta.db_table in columns and not model._meta.proxy
    }


def _call_seed(path: str, apps: StateApps, rows: Mapping[str, int], using: str) -> dict[str, int]:
    module, _, name = path.rpartition(".")
    models = {label: apps.get_model(label) for label in rows}
    before = {label: model._base_manager.using(using).count() for label, model in models.items()}
    try:
        seed = getattr(import_module(module), name)
        with transaction.atomic(using=using):
            seed(apps, dict(rows), using)
    except Exception as error:
        raise SeedError(
            next(iter(rows)),
            None,
            f"{path} raised {type(error).__name__}: {message(error)}",
            traceback_of(error),
        ) from error
    counts = {label: model._base_manager.using(using).count() for label, model in models.items()}
    for label, wanted in rows.items():
        if wanted not in (counts[label], counts[label] - before[label]):
            made = counts[label] - before[label]
            raise SeedError(
                label, None, f"{path} made {made:,} rows where {wanted:,} were asked for"
            )
    return counts
