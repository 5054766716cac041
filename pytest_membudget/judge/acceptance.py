"""That somebody knows of a failure and accepts it, which never changes the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Acceptance:
    """Why the failure is accepted, since which day, and until which; None is without an end."""

    reason: str
    accepted: date
    until: date | None = None

    def __str__(self) -> str:
        end = f" until {self.until}" if self.until else ""
        return f"accepted on {self.accepted}{end}: {self.reason}"
