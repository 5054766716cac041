"""The worker: apply migrations as ``manage.py migrate APP NAME`` does, then tell the peak.

It imports no more of this package than it must, because everything it imports is weighed.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pytest_membudget.database.target import Target
from pytest_membudget.processes.bootstrap import keep_channel, signal_when_closed
from pytest_membudget.processes.redirection import install
from pytest_membudget.processes.worker.cycles import Cycles
from pytest_membudget.processes.worker.high_water import Phases, memory
from pytest_membudget.processes.worker.statement_log import StatementLog
from pytest_membudget.project.settings import load_settings


def main() -> None:
    request = json.loads(sys.stdin.readline())
    null = os.open(os.devnull, os.O_RDONLY)
    signal_when_closed(keep_channel(0, null), -os.getpgrp())
    os.close(null)
    worker = os.getpid()
    reply: dict[str, Any] = {}
    phases, log = Phases(), StatementLog(request["overflow"])
    # Registered first, it is called last: after every thread and every handler of the project.
    atexit.register(_answer, worker, request["reply"], reply, phases, log)
    try:
        _apply(request, reply, phases, log)
        unfinished_answer(request["reply"]).touch()
    except BaseException as error:
        if os.getpid() != worker:  # a forked child goes its own way
            raise
        from pytest_membudget.database.error_text import first_line, traceback_from_migration

        reply["failure"] = first_line(error)
        reply["details"] = traceback_from_migration(error)
        phases.end_of_migration()
    reply["ended"] = time.perf_counter()


def unfinished_answer(path: str) -> Path:
    """The answer until it is whole: there from when the migration is applied."""
    return Path(path + ".part")


def _answer(
    worker: int, path: str, reply: dict[str, Any], phases: Phases, log: StatementLog
) -> None:
    """Write the answer at the end of the process, and leave at once: all has been weighed."""
    if os.getpid() != worker:
        return
    if "duration" in reply:
        reply["duration"] += time.perf_counter() - reply["ended"]
    reply.update(_weight(reply, phases))
    reply["statements"] = log.records()
    reply.setdefault("facts", {}).update(log.connections)
    unfinished = unfinished_answer(path)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(reply, default=str))
    unfinished.replace(path)
    sys.stdout.flush()
    os._exit(0)


def _apply(
    request: dict[str, Any], reply: dict[str, Any], phases: Phases, log: StatementLog
) -> None:
    target = Target.read(request["target"])
    install(target)
    settings = load_settings()
    target.write()

    from django.db.models.signals import pre_migrate

    from pytest_membudget.processes.worker.cursors import log_connections
    from pytest_membudget.processes.worker.operations import OperationLog

    log_connections(log, phases, target.name)
    cycles = Cycles()

    operations = OperationLog()

    def about_to_migrate(plan: Any = (), **_: Any) -> None:
        operations.follow(plan)
        if "baseline" not in reply:
            reply["baseline"] = memory().get("peak")
            target.forget_refusals()
            phases.begin()
            if request["aid"]:
                from pytest_membudget.processes.worker.probes.probe import aid

                accompanied.enter_context(aid(request["aid"], reply))
            reply["startup"] = time.perf_counter() - started
            log.begin()
            cycles.begin()

    pre_migrate.connect(about_to_migrate, weak=False)
    accompanied = ExitStack()
    if "DJANGO_CONFIGURATION" in os.environ:
        from configurations.management import execute_from_command_line
    else:
        from django.core.management import execute_from_command_line

    if len(request["migrations"]) > 1:
        _tell_migrations_apart(phases)
    started = time.perf_counter()
    try:
        with accompanied:
            for app_label, name in request["targets"]:
                command = ["migrate", app_label, name, "--database", request["alias"], "--no-input"]
                execute_from_command_line(["manage.py", *command, "--no-color", "--traceback"])
    finally:
        reply["vendor"] = _connection(request["alias"]).vendor
    reply["duration"] = time.perf_counter() - started - reply.get("startup", 0.0)
    reply["not_run"] = list(operations.not_run.values())
    phases.end_of_migration()
    reply["facts"] = {
        **_facts(settings, request["alias"]),
        "schemas": _schemas(request["alias"]),
        "most_parameters": log.most_parameters,
        "parameter_limit": _parameter_limit(request["alias"]),
        **cycles.facts(),
    }
    reply["applied"] = _applied(request["alias"], request["migrations"])


def _tell_migrations_apart(phases: Phases) -> None:
    from django.db.migrations.executor import MigrationExecutor

    def telling(method: Any) -> Any:
        def apply(self: Any, state: Any, migration: Any, *args: Any, **kwargs: Any) -> Any:
            phases.begin_migration(f"{migration.app_label}.{migration.name}")
            return method(self, state, migration, *args, **kwargs)

        return apply

    for name in ("apply_migration", "unapply_migration"):
        setattr(MigrationExecutor, name, telling(getattr(MigrationExecutor, name)))


def _applied(alias: str, migrations: list[list[str]]) -> list[bool]:
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    recorded = MigrationRecorder(connections[alias]).applied_migrations()
    return [tuple(key) in recorded for key in migrations]


def _facts(settings: Any, alias: str) -> dict[str, Any]:
    config = settings.DATABASES[alias]
    return {
        "debug": bool(settings.DEBUG),
        "pooled": bool((config.get("OPTIONS") or {}).get("pool")),
        "server_side_cursors_disabled": bool(config.get("DISABLE_SERVER_SIDE_CURSORS")),
    }


def _connection(alias: str) -> Any:
    from django.db import connections

    return connections[alias]


def _schemas(alias: str) -> list[str]:
    """Where a table is looked for that no schema is named of; empty for the usual ones."""
    if _connection(alias).vendor != "postgresql":
        return []
    with _connection(alias).cursor() as cursor:
        cursor.execute("SELECT current_schemas(false)::text[]")
        return list(cursor.fetchone()[0])


def _parameter_limit(alias: str) -> int | None:
    """How many parameters the database takes in a statement; None where it isn't known.

    psycopg writes them into the statement on the client, so PostgreSQL's limit is not met.
    """
    connection = _connection(alias)
    if connection.vendor != "sqlite" or sys.version_info < (3, 11):
        return None
    import sqlite3

    connection.ensure_connection()
    return int(connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))


def _weight(reply: dict[str, Any], phases: Phases) -> dict[str, Any]:
    """The peak of all, and of it what the kernel cannot reclaim."""
    phases.end()
    now = memory()
    if not now:
        return {}
    peak = max(now["peak"], phases.peak, reply.get("baseline") or 0)
    anonymous = peak - now["file_backed"] + now["tables"]
    return {"peak": peak, "anonymous": anonymous, "phases": phases.marks}
