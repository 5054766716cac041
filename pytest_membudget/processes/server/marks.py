"""What applying each migration takes, read where the states are built by applying them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.migrations import Migration

from pytest_membudget.processes.worker.high_water import memory, reset_peak
from pytest_membudget.processes.worker.malloc import release_free_memory
from pytest_membudget.project.graph import Key


@dataclass(frozen=True)
class Mark:
    """Bytes of peak RSS: ``grown`` above what was resident before the migration began, ``risen``
    above what was resident before the first migration of the process.

    Earlier work leaves free memory behind that a later migration may use again, so the true figure
    lies between the two.
    """

    grown: int
    risen: int


class Marks:
    """A progress callback of Django's MigrationExecutor; ``of`` holds the marks by migration.

    It holds none where the kernel keeps no high-water mark, or does not let it be set back.
    """

    def __init__(self) -> None:
        self.of: dict[Key, Mark] = {}
        self._first: int | None = None
        self._began: int | None = None

    def __call__(self, action: str, migration: Migration | None = None, *_: Any) -> None:
        if migration is None:
            return
        if action == "apply_start":
            release_free_memory()
            self._began = memory().get("rss") if reset_peak() else None
            self._first = self._first or self._began
        elif action == "apply_success" and self._began is not None and self._first is not None:
            peak = memory()["peak"]
            key = (migration.app_label, migration.name)
            self.of[key] = Mark(max(0, peak - self._began), max(0, peak - self._first))
            self._began = None
