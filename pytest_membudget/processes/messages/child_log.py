"""What child processes of a worker log, a line each; see StatementLog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StatementSent:
    """``name`` stands for this statement from now on."""

    name: str
    text: str
    values: dict[int, Any] | None


@dataclass(frozen=True)
class StatementCounted:
    """What has to be added to the statement ``name``."""

    name: str
    times: int
    fetched: int
    affected: int
    looked: bool


@dataclass(frozen=True)
class ConnectionOpened:
    """A connection was opened: ``by_django``, or by anybody, Django included."""

    by_django: bool
