"""How much of what a migration has allocated it still holds when it sends its last statement.

The peak of a few thousand rows does not tell a list of all rows from a chunk of them, or from
garbage that the cycle collector has not freed yet.  What is held at the end of the loop does: a
list holds all rows, a chunk or a buffer what it was last filled with.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_membudget.processes.worker.cycles import Cycles

# Counting goes through all pools of Python's allocator: it may take this share of the time, and
# with a collection of garbage this one.
_SHARE, _SHARE_COLLECTING = 0.01, 0.2
_EVERY = 0.02


class Kept:
    """Counts the blocks of Python's small-object allocator, of up to 512 bytes each, at statements
    that an operation's code sends.

    Where it ``collects`` garbage before, which is no measurement, none is among them.
    """

    def __init__(self) -> None:
        self.collects = False
        self._next = float("inf")
        self._start = self._last = self._most = 0

    @contextmanager
    def operation(self) -> Iterator[None]:
        """While the code of an operation runs."""
        self._next = time.perf_counter()
        self._start = self._last = self._count()
        try:
            yield
        finally:
            self._next = float("inf")
            self._most = max(self._most, self._last - self._start)

    def note(self) -> None:
        """A statement is about to be sent; this is called for each, so it has to be fast."""
        now = time.perf_counter()
        if now >= self._next:
            self._last = self._count()
            after = time.perf_counter()
            share = _SHARE_COLLECTING if self.collects else _SHARE
            self._next = after + max(_EVERY, (after - now) / share)

    def _count(self) -> int:
        if self.collects:
            gc.collect()
        return sys.getallocatedblocks()

    def facts(self, cycles: Cycles) -> dict[str, Any]:
        """Those of ``cycles``, and ``kept_blocks``, and how many ``cyclic_blocks`` a collection
        frees.

        Not those where the migration was too quick to be followed, or kept nothing.
        """
        before, facts = sys.getallocatedblocks(), cycles.facts()
        if self._most <= 0:
            return facts
        cycles.collect()
        cyclic = max(0, before - sys.getallocatedblocks())
        return {**facts, "kept_blocks": self._most, "cyclic_blocks": cyclic}
