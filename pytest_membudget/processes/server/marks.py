"""The memory that migrations take on the empty tables of a state that is built."""

from __future__ import annotations

from django.db.migrations import Migration

from pytest_membudget.processes.worker.high_water import memory, reset_peak
from pytest_membudget.processes.worker.malloc import release_free_memory
from pytest_membudget.project.graph import Key


class Marks:
    """What applying each migration takes: a progress callback of Django's MigrationExecutor.

    ``of`` holds bytes of peak RSS by migration: above what was resident before the migration began,
    and above what was resident before the first migration of the process.  Earlier work leaves free
    memory behind that a later migration may use again, so the true figure lies between the two.
    It holds none where the kernel keeps no high-water mark, or does not let it be set back.
    ``applied`` are all that this process has begun to apply.
    """

    def __init__(self) -> None:
        self.of: dict[Key, tuple[int, int]] = {}
        self.applied: set[Key] = set()
        self._first: int | None = None
        self._began: int | None = None

    def __call__(self, action: str, migration: Migration | None) -> None:
        if migration is None:
            return
        key = (migration.app_label, migration.name)
        if action == "apply_start":
            self.applied.add(key)
            release_free_memory()
            self._began = memory().get("rss") if reset_peak() else None
            self._first = self._first or self._began
        elif action == "apply_success" and self._began is not None and self._first is not None:
            peak = memory()["peak"]
            self.of[key] = max(0, peak - self._began), max(0, peak - self._first)
            self._began = None
