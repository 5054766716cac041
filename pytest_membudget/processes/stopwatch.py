"""Where the seconds of a check go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STATE, SURVEY, SEEDING, CLONING = "state", "survey", "seeding", "cloning"
STARTING, APPLYING, EXPLAINING = "starting", "applying", "explaining"
PARTS = (STATE, SURVEY, SEEDING, CLONING, STARTING, APPLYING, EXPLAINING)
# Whatever these wait for is theirs, but for a state, which other checks need as well.
_WHOLE = {SURVEY, EXPLAINING}


@dataclass
class Stopwatch:
    """``seconds`` by part; time of a part within another one is not counted twice."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    _parts: list[str] = field(default_factory=list)
    _since: float = 0.0

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        if part != STATE and self._parts and self._parts[0] in _WHOLE:
            part = self._parts[0]
        self._lap()
        self._parts.append(part)
        try:
            yield
        finally:
            self._lap()
            self._parts.pop()

    def move(self, seconds: float, part: str, to: str) -> None:
        """Count what was counted for ``part`` for another one."""
        if not self._parts:
            self.seconds[part] -= seconds
            self.seconds[to] += seconds

    def _lap(self) -> None:
        now = time.monotonic()
        if self._parts:
            self.seconds[self._parts[-1]] += now - self._since
        self._since = now
