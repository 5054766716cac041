"""What accompanies a run that is not measured, or that tries a change."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

_DEFAULT_CACHE, _SMALL_CACHE = -2000, -256


def aid(asked: dict[str, Any], reply: dict[str, Any]) -> ExitStack:
    """``asked`` may hold ``capture`` (memray's file), ``observe`` and ``changes``.

    ``folders`` are those of the migrations' apps.  What was observed goes into ``reply``.
    """
    from pytest_membudget.project.ownership import Ownership

    owned = Ownership(asked.get("folders", []))
    accompanied = ExitStack()
    if asked.get("observe"):
        from pytest_membudget.processes.worker.probes.usage import observed

        accompanied.enter_context(observed(owned, reply))
    for change in asked.get("changes", []):
        from pytest_membudget.processes.worker.probes.rewrites import changed

        accompanied.enter_context(changed(change, owned))
    if "capture" in asked or asked.get("observe"):
        _keep_page_caches_small()
    if "capture" in asked:
        from pytest_membudget.processes.worker.probes.memray import capture

        accompanied.enter_context(capture(asked["capture"]))
    return accompanied


def _keep_page_caches_small() -> None:
    """Have SQLite's page caches full with few rows, so that they don't look like growth.

    They end at 2 MiB, unless the project has said how large they may become: that is its own.
    """
    from django.db import connections
    from django.db.backends.signals import connection_created

    def keep_small(connection: Any, **_: Any) -> None:
        if connection.vendor != "sqlite":
            return
        with connection.cursor() as cursor:
            if cursor.execute("PRAGMA cache_size").fetchone() == (_DEFAULT_CACHE,):
                cursor.execute(f"PRAGMA cache_size = {_SMALL_CACHE}")

    connection_created.connect(keep_small, weak=False)
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            keep_small(connection)
