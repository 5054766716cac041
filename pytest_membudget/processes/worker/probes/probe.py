"""What a run records that is not measured, or changes where advice is tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

from pytest_membudget.database.engine import engine_of
from pytest_membudget.processes.messages.job import Probes
from pytest_membudget.processes.worker.probes.rewrites import rewritten
from pytest_membudget.processes.worker.probes.usage import observed
from pytest_membudget.project.ownership import Ownership
from pytest_membudget.sample.observed import Observed

_DEFAULT_CACHE, _SMALL_CACHE = -2000, -256


def probe(asked: Probes, tell: Callable[[Observed], None]) -> ExitStack:
    """Probe the run from now on; ``tell`` is called at its end with what was observed."""
    owned = Ownership(asked.folders)
    accompanied = ExitStack()
    if asked.observe:
        accompanied.enter_context(observed(owned, tell))
    for rewrite in asked.rewrites:
        accompanied.enter_context(rewritten(rewrite, owned))
    if asked.capture or asked.observe:
        _keep_page_caches_small()
    if asked.capture:
        from memray import FileFormat, Tracker

        # An aggregated capture would be smaller and quicker to read, but it is written when the
        # process ends, and the children of a pool end without; and memray counts too few blocks
        # in it.
        tracker = Tracker(
            asked.capture,
            trace_python_allocators=True,
            follow_fork=True,
            file_format=FileFormat.ALL_ALLOCATIONS,
        )
        accompanied.enter_context(tracker)
    return accompanied


def _keep_page_caches_small() -> None:
    """Limit SQLite's page caches, so that they are full with few rows and don't look like growth.

    Their default limit is 2 MiB; a limit that the project has set is left.
    """

    def keep_small(connection: Any, **_: Any) -> None:
        if not engine_of(connection.vendor).embedded:
            return
        with connection.cursor() as cursor:
            if cursor.execute("PRAGMA cache_size").fetchone() == (_DEFAULT_CACHE,):
                cursor.execute(f"PRAGMA cache_size = {_SMALL_CACHE}")

    connection_created.connect(keep_small, weak=False)
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            keep_small(connection)
