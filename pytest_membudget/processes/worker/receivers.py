"""Receivers of ``pre_migrate`` and ``post_migrate``, told apart from the migration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

_Part = tuple[str, str]
_PACKAGE = f"{__name__.partition('.')[0]}."


class ReceiverLog:
    """Receivers that are connected before migrations are loaded are parts of their own.

    Every ``manage.py migrate`` calls them.  One that a migration connects is a part of it.
    ``failed`` are those that raised in an earlier state, each with the first line of its error; one
    of Django's still ends the migration.  ``begin_part`` begins a part and returns the one before.
    """

    def __init__(self, begin_part: Callable[[_Part], _Part]) -> None:
        self.failed: dict[str, str] = {}
        self._begin_part = begin_part

    def follow(self, before: Sequence[Any] | None = None) -> None:
        """Look for them when the first migration is about to be imported, or take those that were
        connected ``before`` that.
        """
        if before is not None:
            self._tell_apart(before)
            return
        from django.db.migrations.loader import MigrationLoader

        loader_type: Any = MigrationLoader
        plain = loader_type.load_disk

        def load_disk(loader: Any) -> None:
            loader_type.load_disk = plain
            self._tell_apart(connected())
            plain(loader)

        loader_type.load_disk = load_disk

    def _tell_apart(self, entries: Sequence[Any]) -> None:
        from pytest_membudget.project.receivers import SIGNALS, receiver_of

        for signal in SIGNALS:
            for number, entry in enumerate(signal.receivers):
                if not any(entry is one for one in entries):
                    continue
                receiver = receiver_of(entry)
                # Django calls an async one in another way.
                if not (inspect.iscoroutinefunction(receiver) or _is_ours(receiver)):
                    key, _, *others = entry
                    signal.receivers[number] = (key, self._called(entry), *others)

    def _called(self, entry: Any) -> Callable[..., Any]:
        """The receiver of an entry, which may be gone by the time."""
        from pytest_membudget.project.receivers import is_of_django, receiver_of

        def call(**named: Any) -> Any:
            receiver = receiver_of(entry)
            if receiver is None:
                return None
            name = f"{receiver.__module__}.{getattr(receiver, '__qualname__', 'receiver')}"
            before = self._begin_part(("", name))
            try:
                return receiver(**named)
            except Exception as error:
                if is_of_django(receiver) or isinstance(error, MemoryError):
                    raise
                from pytest_membudget.database.error_text import first_line

                self.failed.setdefault(name, first_line(error))
            finally:
                self._begin_part(before)

        return call


def connected() -> list[Any]:
    """The entries of the receivers that are connected now."""
    from pytest_membudget.project.receivers import SIGNALS

    return [entry for signal in SIGNALS for entry in signal.receivers]


def _is_ours(receiver: Any) -> bool:
    return str(getattr(receiver, "__module__", "")).startswith(_PACKAGE)
