"""The seconds that one check may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Deadline:
    """Counts from when it is made; building a state has a deadline of its own and does not count.

    ``seconds`` is the check's time budget.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._begin = time.monotonic()
        self._paused = 0.0

    def spent(self) -> float:
        return time.monotonic() - self._begin - self._paused

    def left(self) -> float:
        return self.seconds - self.spent()

    @contextmanager
    def paused(self) -> Iterator[None]:
        begin = time.monotonic()
        try:
            yield
        finally:
            self._paused += time.monotonic() - begin
