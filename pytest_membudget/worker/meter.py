"""Memory of a process and its children, looked at from outside."""

from __future__ import annotations

import contextlib
import time

import psutil

_CHILDREN_EVERY = 0.05
_SHORT_BYTES = 256 * 1024**2
_SHORT_SHARE = 0.05
_POINTS = 120
_KILL_TAKES = 5.0


class Meter:
    """Look at a process now and then; the peaks are the largest of what was seen, in bytes.

    While it has children its figure is the sum over the tree of the proportional set size (PSS)
    at one instant, since children share pages with their parent.
    """

    def __init__(self, pid: int) -> None:
        self.rss_peak = 0
        self.tree_peak = 0
        self.processes = 1
        self._process = psutil.Process(pid)
        self._children: list[psutil.Process] = []
        self._ever: set[psutil.Process] = set()
        self._looked_for_children = 0.0
        self._begin = time.monotonic()
        self._points: list[tuple[float, int]] = []
        total = psutil.virtual_memory().total
        self._short = min(_SHORT_BYTES, int(total * _SHORT_SHARE))

    def look(self) -> int:
        """The memory that the process, or its tree, takes now; 0 once it has ended."""
        try:
            rss = int(self._process.memory_info().rss)
            self.rss_peak = max(self.rss_peak, rss)
            now = time.monotonic()
            if now - self._looked_for_children > _CHILDREN_EVERY:
                self._looked_for_children = now
                self._children = self._process.children(recursive=True)
                self._ever.update(self._children)
            seen = self._tree() if self._children else rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return 0
        self._points.append((round(now - self._begin, 3), seen))
        return seen

    def machine_is_short(self) -> bool:
        return bool(psutil.virtual_memory().available < self._short)

    def end_children(self) -> None:
        """Kill every child that it has seen, those outside of the process group among them.

        One that has just ended has no children any more, so the last look does not tell them.
        Their parent has to be gone, or they stay as its zombies; a kill takes a moment.
        """
        for child in self._ever:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                child.kill()
        psutil.wait_procs(self._ever, timeout=_KILL_TAKES)

    def timeline(self) -> tuple[tuple[float, int], ...]:
        """At most some hundred ``(seconds, bytes)`` points, each the largest of its stretch."""
        stride = -(-len(self._points) // _POINTS) or 1
        stretches = (self._points[i : i + stride] for i in range(0, len(self._points), stride))
        return tuple(max(stretch, key=lambda point: point[1]) for stretch in stretches)

    def _tree(self) -> int:
        sizes = []
        for process in (self._process, *self._children):
            try:
                sizes.append(int(process.memory_full_info().pss))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        self.processes = max(self.processes, len(sizes))
        total = sum(sizes)
        self.tree_peak = max(self.tree_peak, total)
        return total
