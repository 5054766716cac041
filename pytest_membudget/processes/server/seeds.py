"""Rows for scratch databases: generated ones, or those of the user's function."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.db import transaction
from django.db.migrations.state import StateApps

from pytest_membudget.database.error_text import message, traceback_of
from pytest_membudget.database.free_space import room_for_a_seed
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.errors import NoRoom, SeedError
from pytest_membudget.processes.messages.orders import Seed, Seeded
from pytest_membudget.seeding import Seeder
from pytest_membudget.seeding.column_stats import stats_by_column


class Seeds:
    """A seeder for each database, which knows the rows that it has."""

    def __init__(self, alias: str, scratch: ScratchDatabases) -> None:
        self._alias = alias
        self._scratch = scratch
        self._seeders: dict[str, Seeder] = {}

    def fill(self, order: Seed, apps: StateApps) -> Seeded:
        """Fill the database that is in use.  Raises NoRoom."""
        begin = time.monotonic()
        if order.seed is None:
            made = self._grow(order, apps)
        else:
            made = {"rows": _call_seed(order.seed, apps, order.rows, self._alias)}
        self._scratch.release()
        return Seeded(
            **{"widths": {}, "profile_mismatches": {}, "forced_values": {}, **made},
            seconds=time.monotonic() - begin,
            size=self._scratch.size(order.name),
            free=self._scratch.free(),
        )

    def forget(self, name: str) -> None:
        self._seeders.pop(name, None)

    def _grow(self, order: Seed, apps: StateApps) -> dict[str, Any]:
        """The attributes of Seeded that the seeder knows."""
        name = order.name
        if name not in self._seeders:
            self._seeders[name] = Seeder(
                apps,
                self._alias,
                forced_values=_fields(apps, order.forced_values),
                profile=stats_by_column(order.profile),
            )
        room = room_for_a_seed(self._scratch.free())
        most = room if order.most is None else min(room, order.most)
        try:
            grown = self._seeders[name].grow(order.rows, most)
        except NoRoom:
            # It has planned what it could not make.
            self.forget(name)
            raise
        return {
            "rows": grown.rows,
            "widths": grown.widths,
            "profile_mismatches": grown.profile_mismatches,
            "forced_values": grown.forced_values,
        }


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
                label, None, f"{path} created {made:,} rows, but {wanted:,} were requested"
            )
    return counts
