"""Run ``manage.py migrate`` with everything that watches it from inside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_membudget.database.target import Target
from pytest_membudget.processes.messages.job import Key, WorkerJob
from pytest_membudget.processes.worker.cycles import Cycles
from pytest_membudget.processes.worker.facts import facts_of
from pytest_membudget.processes.worker.high_water import Phases, memory
from pytest_membudget.processes.worker.kept import Kept
from pytest_membudget.processes.worker.operations import OperationLog
from pytest_membudget.processes.worker.receivers import ReceiverLog
from pytest_membudget.processes.worker.statement_log import StatementLog
from pytest_membudget.project.settings import load_settings

if TYPE_CHECKING:
    from pytest_membudget.processes.messages.reply import WorkerReply
    from pytest_membudget.sample.observed import Observed


class Migrate:
    """One run of the job, with the attributes of its reply that are known so far.

    Of the process that this one is a copy of, if it is one, ``started_with`` is the peak, and
    ``receivers`` were connected before it loaded the migrations.
    """

    def __init__(
        self,
        job: WorkerJob,
        target: Target,
        started_with: int = 0,
        receivers: Sequence[Any] | None = None,
    ) -> None:
        self.ended = 0.0
        self._job = job
        self._target = target
        self._started_with = started_with
        self._connected_before = receivers
        self._phases = Phases()
        self._log = StatementLog(self._target.statements)
        self._cycles = Cycles()
        self._kept = Kept()
        self._operations = OperationLog(self._kept)
        self._receivers = ReceiverLog(self._begin_part)
        self._probes = ExitStack()
        self._started = self._startup = 0.0
        self._baseline: int | None = None
        self._began = False
        self._duration: float | None = None
        self._known: dict[str, Any] = {
            "failure": None,
            "details": "",
            "vendor": "",
            "applied": [],
            "not_run": [],
        }

    def run(self) -> None:
        """Migrate with the settings of a process that is redirected to the target."""
        job, target = self._job, self._target
        settings = load_settings()
        if job.media:
            settings.MEDIA_ROOT = job.media
        target.write()

        from django.db import connections
        from django.db.models.signals import pre_migrate

        from pytest_membudget.processes.worker.cursors import log_connections

        log_connections(self._log, self._phases, self._kept, target.name)

        def about_to_migrate(plan: Any = (), **_: Any) -> None:
            self._operations.follow(plan)
            if not self._began:
                self._begin()

        _before_migrations(about_to_migrate)
        pre_migrate.connect(about_to_migrate, weak=False)
        # Where the project is loaded already, its receivers are connected.
        pre_migrate.receivers.insert(0, pre_migrate.receivers.pop())
        self._receivers.follow(self._connected_before)
        manage = _manage_command()
        if len(job.migrations) > 1:
            _tell_migrations_apart(self._begin_part)
        if not job.targets:
            _plan_only(job.migrations)
        self._started = time.perf_counter()
        try:
            with self._probes:
                options = ["--database", target.alias, "--no-input", "--no-color", "--traceback"]
                for names in job.targets or [[]]:
                    manage(["manage.py", "migrate", *names, *options])
        finally:
            self._known["vendor"] = connections[target.alias].vendor
        self._duration = time.perf_counter() - self._started - self._startup
        self._known["not_run"] = list(self._operations.not_run.values())
        self._phases.end_of_migration()
        self._known["facts"] = {
            **facts_of(settings, target.alias),
            "most_parameters": self._log.most_parameters,
            "longest_statement": self._log.longest_statement,
            "failed_receivers": tuple(map(": ".join, self._receivers.failed.items())),
            **self._kept.facts(self._cycles),
        }
        self._known["applied"] = _applied(target.alias, job.migrations)

    def fail(self, error: BaseException) -> None:
        from pytest_membudget.database.error_text import (
            first_line,
            origin,
            traceback_from_migration,
        )
        from pytest_membudget.processes.worker.breakage import breakage_of
        from pytest_membudget.processes.worker.todays_models import with_todays_model

        error = origin(error)
        self._known["failure"] = with_todays_model(first_line(error))
        self._known["details"] = traceback_from_migration(error)
        self._known["breakage"] = breakage_of(error)
        self._phases.end_of_migration()

    def reply(self) -> WorkerReply:
        """The reply at the end of the process; its classes are imported after the peak is read."""
        duration = self._duration
        if duration is not None:
            duration += time.perf_counter() - self.ended
        self._phases.end()
        peak, anonymous = _weight(self._baseline, self._phases)
        from pytest_membudget.processes.messages.reply import WorkerReply
        from pytest_membudget.sample import Facts, Phase

        facts = self._known.pop("facts", {})
        return WorkerReply(
            peak=peak,
            anonymous=anonymous,
            baseline=self._baseline,
            duration=duration,
            phases=[(Phase(*name), *marks) for name, marks in self._phases.marks.items()],
            statements=self._log.records(),
            facts=Facts(**facts, connected=self._log.connected, opened=self._log.opened),
            **self._known,
        )

    def _begin(self) -> None:
        """The first migration is about to be applied."""
        self._began = True
        modules = [name for name in [*sys.modules] if name.startswith("django.")]
        Path(self._job.beginning).write_text("\n".join(modules))
        peak = memory().get("peak")
        self._baseline = peak and max(peak, self._started_with)
        self._target.forget_refusals()
        self._phases.begin()
        if self._job.probes:
            from pytest_membudget.processes.worker.probes.probe import probe

            self._probes.enter_context(probe(self._job.probes, self._observe))
            self._kept.collects = self._job.probes.collect
        self._startup = time.perf_counter() - self._started
        self._log.begin()
        self._cycles.begin()

    def _begin_part(self, part: tuple[str, str]) -> tuple[str, str]:
        before = self._log.part
        self._log.begin_part(part)
        self._phases.begin_part(part)
        return before

    def _observe(self, observed: Observed) -> None:
        self._known["observed"] = observed


def _manage_command() -> Any:
    """What manage.py runs."""
    if "DJANGO_CONFIGURATION" in os.environ:
        from configurations.management import execute_from_command_line
    else:
        from django.core.management import execute_from_command_line
    return execute_from_command_line


def _tell_migrations_apart(begin_part: Callable[[tuple[str, str]], object]) -> None:
    from django.db.migrations.executor import MigrationExecutor

    def telling(method: Any) -> Any:
        def apply(self: Any, state: Any, migration: Any, *args: Any, **kwargs: Any) -> Any:
            begin_part((f"{migration.app_label}.{migration.name}", ""))
            return method(self, state, migration, *args, **kwargs)

        return apply

    for name in ("apply_migration", "unapply_migration"):
        setattr(MigrationExecutor, name, telling(getattr(MigrationExecutor, name)))


def _before_migrations(begin: Callable[..., None]) -> None:
    """Begin there at the latest: without an app that has models Django sends no pre_migrate."""
    from django.db.migrations.executor import MigrationExecutor

    plain = MigrationExecutor.migrate

    def migrate(self: Any, targets: Any, plan: Any = None, *args: Any, **kwargs: Any) -> Any:
        begin(plan or ())
        return plain(self, targets, plan, *args, **kwargs)

    MigrationExecutor.migrate = migrate  # type: ignore[method-assign]


def _plan_only(migrations: list[Key]) -> None:
    """Let ``manage.py migrate`` plan these, where others that are not applied depend on them."""
    from django.db.migrations.executor import MigrationExecutor

    plain = MigrationExecutor.migration_plan
    keys = [(app_label, name) for app_label, name in migrations]

    def migration_plan(self: Any, targets: Any, clean_start: bool = False) -> Any:
        return plain(self, targets if clean_start else keys, clean_start)

    MigrationExecutor.migration_plan = migration_plan  # type: ignore[method-assign]


def _applied(alias: str, migrations: list[Key]) -> list[bool]:
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    recorded = MigrationRecorder(connections[alias]).applied_migrations()
    return [tuple(key) in recorded for key in migrations]


def _weight(baseline: int | None, phases: Phases) -> tuple[int | None, int | None]:
    """The peak of all, and of it what the kernel cannot reclaim; None where it keeps no figures."""
    now = memory()
    if not now:
        return None, None
    peak = max(now["peak"], phases.peak, baseline or 0)
    return peak, peak - now["file_backed"] + now["tables"]
