"""SQLite: a file a database.  Never the in-memory test database, which would measure the data."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_membudget.database.free_space import free_bytes
from pytest_membudget.database.scratch.base import ScratchDatabases

# The files that SQLite makes beside a database.
_BESIDE = ("-journal", "-wal", "-shm")


class SQLiteScratch(ScratchDatabases):
    """Files in the run's folder; those of dead runs are removed with their folders."""

    @property
    def can_be_kept(self) -> bool:
        return True

    def content(self, name: str) -> bytes | None:
        self._own(name)
        if any(Path(name + suffix).exists() for suffix in _BESIDE):
            return None  # a session of the project's has not written all of it
        return Path(name).read_bytes()

    def restore(self, content: bytes) -> str:
        name = self._new_name()
        Path(name).write_bytes(content)
        return name

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
        for suffix in ("", *_BESIDE):
            Path(name + suffix).unlink(missing_ok=True)
        self.names.remove(name)
