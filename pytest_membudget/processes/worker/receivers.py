"""Receivers of ``pre_migrate`` and ``post_migrate`` that fail in an earlier state."""

from __future__ import annotations

from functools import partial
from typing import Any


class ReceiverLog:
    """``failed`` are the project's receivers that raised, each with the first line of its error.

    One that the migration itself connects, or one of Django's, still ends the migration.
    """

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self._connected: list[Any] | None = None

    def follow(self) -> None:
        """Before the project's apps are loaded."""
        from pytest_membudget.project.receivers import SIGNALS

        for signal in SIGNALS:
            signal.send = partial(self._send, signal)  # type: ignore[method-assign]

    def _send(self, signal: Any, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
        from pytest_membudget.database.error_text import first_line
        from pytest_membudget.project.receivers import receivers

        if self._connected is None:
            self._connected = receivers()
        answers: list[tuple[Any, Any]] = signal.send_robust(sender, **named)
        for receiver, answer in answers:
            if isinstance(answer, Exception):
                if not self._may_fail(receiver, answer):
                    raise answer
                name = f"{receiver.__module__}.{getattr(receiver, '__qualname__', 'receiver')}"
                self.failed.setdefault(name, first_line(answer))
        return answers

    def _may_fail(self, receiver: Any, error: Exception) -> bool:
        from pytest_membudget.project.receivers import is_of_django

        before = receiver in (self._connected or ())
        return before and not is_of_django(receiver) and not isinstance(error, MemoryError)
