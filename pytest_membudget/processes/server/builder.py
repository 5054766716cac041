"""Apply migrations to a template database, as ``manage.py migrate`` would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, cast

from django.core.management.commands.migrate import Command as MigrateCommand
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError

from pytest_membudget.database.engine import engine_of
from pytest_membudget.processes.server.marks import Marks
from pytest_membudget.project.graph import Key
from pytest_membudget.project.receivers import only_of_django

Applied = frozenset[Key]


class Builder:
    """``tell`` is called with each migration that is applied, ``marks`` are what these took."""

    def __init__(self, connection: Any, tell: Callable[[str], None]) -> None:
        self.marks = Marks()
        self._connection = connection
        self._tell = tell
        self._failed: dict[tuple[Applied, Key], tuple[Exception, TracebackType | None]] = {}

    def migrate(self, base: Applied, wanted: Applied, reached: Callable[[Applied], None]) -> int:
        """Apply what ``wanted`` has more than ``base``, with unmigrated apps and Django's own
        receivers.

        ``reached`` is called after each migration.  Returns how many models there are then.
        """
        connection = self._connection
        connection.prepare_database()
        done: list[Key] = []

        def show(action: str, migration: Any = None, fake: bool = False) -> None:
            if action == "apply_start":
                done.append((migration.app_label, migration.name))
                self._tell(f"{'.'.join(done[-1])} ({len(done)} of {len(plan)})")
            self.marks(action, migration)
            if action == "apply_success":
                reached(base.union(done))

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
        self._raise_known(base, [(migration.app_label, migration.name) for migration, _ in plan])
        before = executor._create_project_state(  # type: ignore[attr-defined]
            with_applied_migrations=True
        )
        self._tell("the pre_migrate signal")
        with only_of_django():
            emit_pre_migrate_signal(0, False, connection.alias, apps=before.apps, plan=plan)
        if not base and loader.unmigrated_apps:
            command = MigrateCommand()
            command.verbosity = 0
            command.sync_apps(connection, loader.unmigrated_apps)
        executor.recorder.ensure_schema()
        try:
            after = executor.migrate([], plan=plan, state=before.clone())
        except Exception as error:
            self._remember(error, base, done)
            raise
        after.clear_delayed_apps_cache()
        self._tell("the post_migrate signal")
        with only_of_django():
            emit_post_migrate_signal(0, False, connection.alias, apps=after.apps, plan=plan)
        return len(after.models)

    def _remember(self, error: Exception, base: Applied, begun: Sequence[Key]) -> None:
        """The last of the migrations that were begun fails wherever those before it are applied.

        A server that is gone, as an OperationalError of PostgreSQL says, may come back.
        """
        passing = isinstance(error, OperationalError)
        embedded = engine_of(self._connection.vendor).embedded
        if begun and (embedded or not passing):
            *done, failed = begun
            self._failed[base.union(done), failed] = error, error.__traceback__

    def _raise_known(self, base: Applied, keys: Sequence[Key]) -> None:
        """Raise the error of a migration of ``keys`` that has failed in the same state."""
        for (done, failed), (error, traceback) in self._failed.items():
            if failed in keys and base.union(keys[: keys.index(failed)]) == done:
                raise error.with_traceback(traceback)
