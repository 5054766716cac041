"""The worker: apply migrations as ``manage.py migrate APP NAME`` does, then tell the peak.

It imports no more of this package than it must, because everything it imports is weighed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from pytest_membudget.worker.bootstrap import (
    keep_channel,
    load_settings,
    redirect_databases,
    signal_when_closed,
)


def main() -> None:
    request = json.loads(sys.stdin.readline())
    null = os.open(os.devnull, os.O_RDONLY)
    signal_when_closed(keep_channel(0, null), -os.getpgrp())
    os.close(null)
    worker = os.getpid()
    reply: dict[str, Any] = {}
    try:
        _apply(request, reply)
    except BaseException as error:
        if os.getpid() == worker:
            reply["failure"] = _one_line(error)
            reply["details"] = _traceback(error)
    if os.getpid() != worker:
        os._exit(1)
    reply.update(_memory())
    unfinished = Path(request["reply"] + ".part")
    unfinished.write_text(json.dumps(reply))
    unfinished.replace(request["reply"])
    sys.stdout.flush()
    os._exit(0)


def _apply(request: dict[str, Any], reply: dict[str, Any]) -> None:
    settings = load_settings()
    redirect_databases(settings, request["alias"], request["name"])

    from django.db.backends.signals import connection_created
    from django.db.models.signals import pre_migrate

    from pytest_membudget.worker.tally import Tally

    tally = Tally(request["tables"], request["overflow"])
    connection_created.connect(tally.watch, weak=False)

    def about_to_migrate(**_: Any) -> None:
        if "baseline" not in reply:
            reply["baseline"] = _memory().get("peak")
            reply["startup"] = time.perf_counter() - started
            tally.read.clear()
            tally.written.clear()

    pre_migrate.connect(about_to_migrate, weak=False)
    if "DJANGO_CONFIGURATION" in os.environ:
        from configurations.management import execute_from_command_line
    else:
        from django.core.management import execute_from_command_line

    started = time.perf_counter()
    for app_label, name in request["targets"]:
        command = ["migrate", app_label, name, "--database", request["alias"], "--no-input"]
        execute_from_command_line(["manage.py", *command, "--no-color", "--traceback"])
    reply["duration"] = time.perf_counter() - started - reply.get("startup", 0.0)
    reply["read"], reply["written"] = dict(tally.read), dict(tally.written)
    reply["filters"] = {table: sorted(columns) for table, columns in tally.filters.items()}
    reply["facts"] = _facts(settings, request["alias"])
    reply["applied"] = _applied(request["alias"], request["migrations"])


def _applied(alias: str, migrations: list[list[str]]) -> list[bool]:
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    recorded = MigrationRecorder(connections[alias]).applied_migrations()
    return [tuple(key) in recorded for key in migrations]


def _facts(settings: Any, alias: str) -> dict[str, Any]:
    config = settings.DATABASES[alias]
    return {
        "debug": bool(settings.DEBUG),
        "server_side_cursors_disabled": bool(config.get("DISABLE_SERVER_SIDE_CURSORS")),
    }


def _memory() -> dict[str, int]:
    """The kernel's own figures of this process, in bytes; nothing where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {}
    kib = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    peak, file_backed, tables = (int(kib[key]) * 1024 for key in ("VmHWM", "RssFile", "VmPTE"))
    return {"peak": peak, "anonymous": peak - file_backed + tables}


def _one_line(error: BaseException) -> str:
    name = type(error).__name__
    text = str(error).strip()
    return f"{name}: {text.splitlines()[0]}" if text else name


def _traceback(error: BaseException) -> str:
    """The traceback from the migration on: Django's own frames above it tell nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    starts = [
        i for i, frame in enumerate(frames) if frame.filename.endswith("migrations/executor.py")
    ]
    return "".join(
        [
            "Traceback (most recent call last):\n",
            *traceback.format_list(frames[starts[-1] + 1 :] if starts else frames),
            *traceback.format_exception_only(type(error), error),
        ]
    )
