"""SQLite: a file a database.  Never the in-memory test database, which would measure the data."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_membudget.database.free_space import free_bytes
from pytest_membudget.database.scratch.base import ScratchDatabases


class SQLiteScratch(ScratchDatabases):
    """Files in the run's folder; those of dead runs are removed with their folders."""

    def size(self, name: str) -> int:
        return Path(name).stat().st_size

    def free(self) -> int:
        return free_bytes(self.folder)

    def _name(self, number: int) -> str:
        return str(self.folder / f"{number}.sqlite3")

    def _create(self, name: str) -> None:
        Path(name).touch()

    def _clone(self, source: str, name: str) -> None:
        shutil.copyfile(source, name)

    def _drop(self, name: str) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
        self.names.remove(name)
