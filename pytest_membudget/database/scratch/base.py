from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.utils import Error

from pytest_membudget.database.scratch.activity import Activity
from pytest_membudget.database.target import Target
from pytest_membudget.errors import ServerError


class ScratchDatabases(ABC):
    """The databases of this run.  ``clone`` and ``drop`` refuse the names of any others.

    ``target`` names the one that the Django connection uses, for child processes as well.
    """

    def __init__(self, connection: Any, folder: Path, target: Target) -> None:
        self.connection = connection
        self.folder = folder
        self.target = target
        # Those that exist, and those of them that are to be dropped.
        self.names: list[str] = []
        self._given_up: set[str] = set()
        self._count = 0

    def create(self) -> str:
        """Make an empty database and return its name."""
        name = self._new_name()
        self._create(name)
        return name

    def clone(self, source: str) -> str:
        """Copy a database, with its rows, to a new one and return its name."""
        self._own(source)
        name = self._new_name()
        self._clone(source, name)
        return name

    def take(self, name: str) -> tuple[str, int | None]:
        """A database with these rows for a run after which nobody needs them: itself, or a copy.

        Returns how many sessions it has had as well, None where one of them is still open.
        """
        self._own(name)
        return name, 0

    def drop(self, name: str) -> None:
        """Drop a database soon; ``close`` tries again where the server has refused that."""
        self._own(name)
        self._given_up.add(name)
        self.drop_soon(name)

    def drop_soon(self, name: str) -> None:
        """Drop a database of this run or of a dead one: now, beside further work, or at the end."""
        self._drop_all([name])

    def end_sessions(self, name: str) -> bool:
        """End what a process that was killed has left in a database; whether nothing goes on."""
        self._own(name)
        return True

    def use(self, name: str) -> None:
        """Close the Django connection and point it at one of the databases."""
        self._own(name)
        self.release()
        self.connection.settings_dict["NAME"] = self.target.name = name
        self.target.write()

    @contextlib.contextmanager
    def using(self, name: str) -> Iterator[None]:
        """Point the Django connection at one of the databases, and close it at the end."""
        self.use(name)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Close the Django connection: a database with a session can't be cloned."""
        self.connection.close()

    def close(self) -> None:
        """Drop all databases of this run, or leave them to the server that ends with it."""
        self.release()
        if self.target.embedded:
            self.names.clear()
        self._drop_all(self.names[::-1])

    def remove_leftovers(self) -> None:
        """Drop the databases of runs that have died."""
        self._drop_all(self.leftovers())

    def leftovers(self) -> list[str]:
        """The databases of runs that have died."""
        return []

    def activity(self, name: str) -> Activity | None:
        """The server's statistics of one of the databases; None where there are none."""
        self._own(name)
        return None

    def waits_for_disk(self) -> bool:
        """Whether the server waits for its disk, so that no loss of power is one of data."""
        return False

    @property
    def can_be_kept(self) -> bool:
        """Whether a database can be had as a file."""
        return False

    def content(self, name: str) -> bytes | None:
        """A whole database, for ``restore``; None where that would not be all of it."""
        return None

    def restore(self, content: bytes) -> str | None:
        """Make a database of a ``content`` and return its name; None where that fails."""
        return None

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of the database on disk."""

    @abstractmethod
    def free(self) -> int | None:
        """Free bytes on the disk of the databases; None where that is unknown."""

    @abstractmethod
    def _name(self, number: int) -> str: ...

    @abstractmethod
    def _create(self, name: str) -> None: ...

    @abstractmethod
    def _clone(self, source: str, name: str) -> None: ...

    @abstractmethod
    def _drop(self, name: str) -> None:
        """Drop a database and take it from ``names``."""

    def _drop_all(self, names: Sequence[str]) -> None:
        for name in names:
            # Another run may be dropping it right now.
            with contextlib.suppress(Error, ServerError):
                self._drop(name)

    def _new_name(self) -> str:
        self._count += 1
        name = self._name(self._count)
        self.names.append(name)
        return name

    def _own(self, name: str) -> None:
        if name not in self.names or name in self._given_up:
            raise ValueError(f"{name!r} is not a scratch database of this run")
