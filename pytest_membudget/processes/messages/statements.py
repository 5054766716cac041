"""What is logged of a migration's statements and connections; it is weighed with the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class StatementCount:
    """A statement that was sent ``times`` times with these ``values`` by position.

    ``values`` is None where executions with any values are counted together.  ``fetched`` and
    ``affected`` count rows; ``looked`` is true once rows of a result were fetched or counted;
    ``chunk`` is how many rows were asked for at a time, at most.

    A child process writes a line for each execution, with a ``name`` of its own for the statement:
    the first line of a name has the text and the values, and those that follow are added to it.
    ``part`` is the part of the process that it was sent in, as a Phase has it.
    """

    text: str
    values: dict[int, Any] | None
    times: int = 0
    fetched: int = 0
    affected: int = 0
    looked: bool = False
    chunk: int = 0
    name: str = ""
    part: tuple[str, str] = ("", "")

    def add(self, other: StatementCount) -> None:
        self.times += other.times
        self.fetched += other.fetched
        self.affected += other.affected
        self.looked |= other.looked
        self.chunk = max(self.chunk, other.chunk)


@dataclass(frozen=True)
class ConnectionOpened:
    """A child process has opened a connection; Django's own are logged with both values."""

    by_django: bool
