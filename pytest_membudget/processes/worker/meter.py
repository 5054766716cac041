"""The memory of a process and all that it started, measured from outside."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from pytest_membudget.budget.container import Container
from pytest_membudget.processes.worker.process import AtStart, Metered
from pytest_membudget.processes.worker.server_processes import ServerProcesses
from pytest_membudget.processes.worker.shared_memory import SharedMemory

_CHILDREN_EVERY = 0.05
_SHORT_BYTES = 256 * 1024**2
_SHORT_SHARE = 0.05
_POINTS = 120
_NOTICED_BYTES, _NOTICED_SHARE = 16 * 1024**2, 0.05
# What outlives the worker is watched until it has grown by less for so long.
_STEADY_BYTES = 1024**2
_STEADY_SECONDS, _LONGEST_SECONDS = 1.0, 10.0


class Meter:
    """Measures a worker at intervals; the peaks are the largest values seen, in bytes.

    ``beginning`` is a file that is there from when the migration begins, and
    ``processes`` is how many there were at once from then on.
    ``left_running`` counts the processes that outlived the worker, ``still_grows`` says that these
    took ever more.

    ``server_peak`` is the peak of ServerProcesses.

    While there is more than the worker the figure is the sum of the proportional set sizes (PSS) at
    one instant, since processes share pages, with the shared memory that none of them maps.
    """

    def __init__(
        self, process: Metered, beginning: Path, server: ServerProcesses | None = None
    ) -> None:
        self.rss_peak = 0
        self.tree_peak = 0
        self.shared_peak = 0
        self.processes = 1
        self.left_running = 0
        self.still_grows = False
        self._beginning: Path | None = beginning
        self._at_start = process.at_start
        self._below = process.below
        template = process.template
        self._template = None if template is None else psutil.Process(template)
        self._worker: psutil.Process | None = None
        self._others: list[psutil.Process] = []
        self._looked_for_others = 0.0
        self._begin = time.monotonic()
        self._points: list[tuple[float, int]] = []
        self._ended: float | None = None
        self._steady: tuple[float, int] = (0.0, 0)
        self._shared = SharedMemory()
        self._container = Container()
        self._group = process.group
        self._server = server
        total = psutil.virtual_memory().total
        self._short = min(_SHORT_BYTES, int(total * _SHORT_SHARE))

    @property
    def at_start(self) -> AtStart:
        """Before the migration: the peak of several processes, and how many these were at most."""
        peak, processes = self._at_start
        return AtStart(max(peak, self.tree_peak), max(processes, self.processes))

    @property
    def alone(self) -> bool:
        """Whether the worker's own high-water mark is the whole peak."""
        return self.processes == 1 and not self.shared_peak

    @property
    def server_peak(self) -> int | None:
        return None if self._server is None else self._server.peak

    def server_unseen(self, duration: float) -> int:
        """How much more it may have been in a run that took so many seconds."""
        return 0 if self._server is None else self._server.may_be_unseen(duration)

    @property
    def begun(self) -> bool:
        """Whether the migration has begun."""
        return self._beginning is None

    def look(self) -> int:
        """The memory that all of it takes now; 0 once it has ended."""
        if self._beginning is not None and self._beginning.exists():
            # Programs that the project's imports ran, as find_library() does, are over.
            self._beginning, self._at_start = None, self.at_start
            self.tree_peak, self.processes = 0, 1
        if self._server is not None:
            self._server.look()
        now = time.monotonic()
        if self._worker is None or now - self._looked_for_others > _CHILDREN_EVERY:
            self._looked_for_others = now
            self._find()
            self._group.look(self._shared_with_template("rss") if self._group.folder else 0)
        worker, rss = self._worker, 0
        if worker is not None and self._ended is None:
            try:
                rss = int(worker.memory_info().rss)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                self._ended = now
        self.rss_peak = max(self.rss_peak, rss)
        tree = [*([worker] if worker and rss else []), *self._others]
        unmapped = self._shared.unmapped(process.pid for process in tree)
        self.shared_peak = max(self.shared_peak, unmapped)
        seen = (self._pss(tree) if self._others else rss) + unmapped
        if self._others or unmapped:
            self.tree_peak = max(self.tree_peak, seen)
        if seen:
            self._points.append((round(now - self._begin, 3), seen))
        return seen

    def is_over(self) -> bool:
        """Whether the worker has ended, and what it left running has stopped growing."""
        if self._ended is None:
            return False
        now, size = time.monotonic(), self._points[-1][1] if self._points else 0
        if not self._steady[0] or size - self._steady[1] > _STEADY_BYTES:
            self._steady = now, size
        steady = now - self._steady[0] > _STEADY_SECONDS
        self.still_grows = now - self._ended > _LONGEST_SECONDS and not steady
        if not steady and not self.still_grows:
            return False
        self._find()
        self.left_running = len(self._others)
        return True

    def shortage(self) -> str | None:
        """What is about to run out of memory, this machine or its container; None if nothing."""
        if psutil.virtual_memory().available < self._short:
            return "this machine"
        return self._container.shortage()

    def was_killed_for_memory(self) -> str | None:
        """The container where the kernel has killed a process since the beginning; None if none."""
        return self._container.killed()

    def close(self) -> None:
        """Measure what the processes have left behind, and remove the files that they opened."""
        self._others = []
        if self._worker is not None:
            self._ended = self._ended or time.monotonic()
            self._looked_for_others = time.monotonic()
            for _ in range(2):  # a new file is counted at the second look
                self.look()
        tree_peak, processes = self._at_start
        if tree_peak > max(self.rss_peak, self.tree_peak):  # the limit counts them as well
            self.tree_peak, self.processes = tree_peak, max(processes, self.processes)
        self._shared.remove()

    def unexplained(self, peak: int) -> int:
        """Bytes beyond ``peak`` that the kernel has counted in the worker's control group."""
        more = self._group.peak - peak
        return more if more > max(_NOTICED_BYTES, _NOTICED_SHARE * peak) else 0

    def timeline(self) -> tuple[tuple[float, int], ...]:
        """At most some hundred ``(seconds, bytes)`` points, each the largest of its interval."""
        stride = -(-len(self._points) // _POINTS) or 1
        stretches = (self._points[i : i + stride] for i in range(0, len(self._points), stride))
        return tuple(max(stretch, key=lambda point: point[1]) for stretch in stretches)

    def _find(self) -> None:
        found = [process for process in self._below.now() if process != self._template]
        if self._worker is None and found:
            self._worker = found[0]
        self._others = [process for process in found if process != self._worker]

    def _pss(self, tree: list[psutil.Process]) -> int:
        sizes = []
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                sizes.append(int(process.memory_full_info().pss))
        self.processes = max(self.processes, len(sizes))
        return sum(sizes) + self._shared_with_template("pss")

    def _shared_with_template(self, size: str) -> int:
        """What the template has of the pages that its copy uses as well, in whole or its share."""
        if self._template is not None:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                its = self._template.memory_full_info()
                return int(getattr(its, size) - its.uss)
        return 0
