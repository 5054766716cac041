"""Template databases: the schema before a migration, built once and shared by every check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, cast

from django.core.management.commands.migrate import Command as MigrateCommand
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.processes.worker.high_water import memory, reset_peak
from pytest_membudget.processes.worker.malloc import release_free_memory
from pytest_membudget.project.graph import Key
from pytest_membudget.project.receivers import only_of_django

# A gate goes through hundreds of states, one after the other.
_KEPT = 6


class Marks:
    """What applying each migration takes: a progress callback of Django's MigrationExecutor.

    ``of`` holds bytes of peak RSS by migration: above what was resident before the migration began,
    and above what was resident before the first migration of the process.  Earlier work leaves free
    memory behind that a later migration may use again, so the true figure lies between the two.
    It holds none where the kernel keeps no high-water mark, or does not let it be set back.
    """

    def __init__(self) -> None:
        self.of: dict[Key, tuple[int, int]] = {}
        self._first: int | None = None
        self._began: int | None = None

    def __call__(self, action: str, migration: Migration | None) -> None:
        if migration is None:
            return
        if action == "apply_start":
            release_free_memory()
            self._began = memory().get("rss") if reset_peak() else None
            self._first = self._first or self._began
        elif action == "apply_success" and self._began is not None and self._first is not None:
            peak = memory()["peak"]
            key = (migration.app_label, migration.name)
            self.of[key] = max(0, peak - self._began), max(0, peak - self._first)
            self._began = None


class Templates:
    """Databases with no seeded rows, by the set of migrations that they have applied.

    ``marks`` are those of applying these, ``models`` is how many models the latest state has.
    """

    def __init__(self, scratch: ScratchDatabases, empty: str, tell: Callable[[str], None]) -> None:
        self.marks = Marks()
        self.models = 0
        self._scratch = scratch
        self._tell = tell
        self._built: dict[frozenset[Key], str] = {frozenset(): empty}

    def get(self, applied: Iterable[Key]) -> str:
        """The name of a database with exactly ``applied``, grown from the nearest one at hand."""
        wanted = frozenset(applied)
        if wanted not in self._built:
            base = max((built for built in self._built if built < wanted), key=len)
            name = self._scratch.clone(self._built[base])
            with self._scratch.using(name):
                self.models = self._migrate(wanted, sync=not base)
            self._built[wanted] = name
        self._built[wanted] = self._built.pop(wanted)  # the one that was used last comes last
        for state in [state for state in self._built if state][:-_KEPT]:
            self._scratch.drop(self._built.pop(state))
        return self._built[wanted]

    def _migrate(self, wanted: frozenset[Key], *, sync: bool) -> int:
        """Apply ``wanted`` as ``manage.py migrate`` would, with unmigrated apps and Django's own
        receivers.

        Returns how many models there are then.
        """
        connection = self._scratch.connection
        connection.prepare_database()
        steps = count(1)

        def show(action: str, migration: Any = None, fake: bool = False) -> None:
            if action == "apply_start":
                self._tell(f"{migration.app_label}.{migration.name} ({next(steps)} of {len(plan)})")
            self.marks(action, migration)

        executor = MigrationExecutor(connection, cast("Any", show))
        loader = executor.loader
        if any(key not in loader.graph.nodes for key in wanted):
            loader.replace_migrations = False  # type: ignore[attr-defined]
            loader.build_graph()
        plan = [
            step
            for step in executor.migration_plan(loader.graph.leaf_nodes())
            if (step[0].app_label, step[0].name) in wanted
        ]
        before = executor._create_project_state(  # type: ignore[attr-defined]
            with_applied_migrations=True
        )
        self._tell("the pre_migrate signal")
        with only_of_django():
            emit_pre_migrate_signal(0, False, connection.alias, apps=before.apps, plan=plan)
        if sync and loader.unmigrated_apps:
            command = MigrateCommand()
            command.verbosity = 0
            command.sync_apps(connection, loader.unmigrated_apps)
        executor.recorder.ensure_schema()
        after = executor.migrate([], plan=plan, state=before.clone())
        after.clear_delayed_apps_cache()
        self._tell("the post_migrate signal")
        with only_of_django():
            emit_post_migrate_signal(0, False, connection.alias, apps=after.apps, plan=plan)
        return len(after.models)
