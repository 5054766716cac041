"""Databases are dropped beside other work, many at the same time.

``DROP DATABASE`` forgets what the server has not written yet of that database, and then waits for a
checkpoint, which writes all others.  So those that are dropped at the same time are never written:
six that were just made take 0.2 s, and 9 s one after the other, where the disk is busy.
It also waits for each session of the server that can't be interrupted just now, in any database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

from pytest_membudget.database.free_space import FIRST_BYTES

AT_ONCE = 12
_ROOM_SECONDS = 20.0
_LAST_SECONDS = 5.0

# Opens up to so many sessions, and gives their cursors.
Sessions = Callable[[int], AbstractContextManager[Sequence[Any]]]
# Drops a database, with a cursor.
Drop = Callable[[Any, str], None]


class Drops:
    """Begins once there are many databases, or large ones.  What can't be dropped is left."""

    def __init__(self, sessions: Sessions, drop: Drop) -> None:
        self._sessions = sessions
        self._drop = drop
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        # What was waited for in vain is not waited for again.
        self._held_up: threading.Thread | None = None

    def add(self, name: str, size: int) -> None:
        """Have a database of so many bytes dropped."""
        with self._lock:
            self._waiting[name] = size
            begin = self._are_large() or len(self._waiting) >= AT_ONCE
            if begin and self._thread is None:
                self._thread = threading.Thread(target=self._drop_waiting, daemon=True)
                self._thread.start()

    def make_room(self) -> None:
        """Wait until large databases are dropped, so that their bytes are free."""
        with self._lock:
            wait = self._are_large()
        if wait:
            self._wait(_ROOM_SECONDS)

    def stop(self) -> list[str]:
        """Begin no further one, and wait for those under way, but not for ever.

        Returns those that were waiting.
        """
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        self._wait(_LAST_SECONDS)
        return waiting

    def at_once(self, names: Sequence[str]) -> list[str]:
        """Drop them now, as many at a time as there are sessions for; return what is left."""
        left, refused = list(names), list[str]()
        with self._sessions(min(len(left), AT_ONCE)) as cursors:
            threads = [
                threading.Thread(target=self._drop_from, args=(left, refused, cursor), daemon=True)
                for cursor in cursors
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return left + refused

    def _are_large(self) -> bool:
        return sum(self._waiting.values()) > FIRST_BYTES

    def _wait(self, seconds: float) -> None:
        thread = self._thread
        if thread is not None and thread is not self._held_up:
            thread.join(seconds)
            self._held_up = thread if thread.is_alive() else None

    def _drop_waiting(self) -> None:
        with self._lock:
            names = list(self._waiting)
        with suppress(Exception):  # the session that administers has ended
            self.at_once(names)
        with self._lock:
            for name in names:
                self._waiting.pop(name, None)
            self._thread = None

    def _drop_from(self, names: list[str], refused: list[str], cursor: Any) -> None:
        with suppress(IndexError):  # none is left
            while True:
                name = names.pop()
                try:
                    self._drop(cursor, name)
                except Exception:
                    refused.append(name)
