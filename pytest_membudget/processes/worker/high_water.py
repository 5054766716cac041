"""The process's own high-water mark, as the kernel keeps it, for each phase of a migration.

The peak of a whole run is that of its highest phase.  Which one is highest may change with the
rows: a list of all keys is smaller than a page of objects at first, and larger later.  So each
phase has a mark of its own, and each is projected.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

_STATUS = Path("/proc/self/status")
# Writing 5 sets the mark back to what is resident now; see proc(5).
_RESET = Path("/proc/self/clear_refs")
_FIELDS = {"peak": "VmHWM", "rss": "VmRSS", "file_backed": "RssFile", "tables": "VmPTE"}

_PARAMETERS = re.compile(r"(?:%s|\?|\d+)(?:\s*,\s*(?:%s|\?|\d+))*")
_HEAD = 240
_MOST_PHASES = 40
_MOST_HEADS = 500
_START, _EXIT = "start", "exit"
_Phase = tuple[str, str]
# The end of the process is a phase only where it takes more.
_LITTLE = 2 * 1024**2


def memory() -> dict[str, int]:
    """The kernel's own figures of this process, in bytes; nothing where it keeps none."""
    try:
        lines = _STATUS.read_text().splitlines()
        kib = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
        return {name: int(kib[field]) * 1024 for name, field in _FIELDS.items()}
    except (OSError, KeyError):
        return {}


def reset_peak() -> bool:
    """Set the high-water mark back to what is resident now; False where the kernel refuses."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


class Phases:
    """A phase begins with the first statement of a shape that has not been seen before.

    ``marks`` holds what it began with and its peak, in bytes and in order, by the migration's label
    and the shape.  The first shape is ``"start"``, before any statement.  Of several migrations
    each has phases of its own; the label of a single one is left empty.  There are no marks where
    one could not be set back.
    """

    def __init__(self) -> None:
        self.marks: dict[_Phase, tuple[int, int]] = {}
        self.peak = 0
        self._migration = ""
        self._first_of_migration = 0
        self._current: _Phase | None = None
        self._heads: set[str] = set()
        self._owner = os.getpid()
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        self._enter((self._migration, _START))

    def begin_migration(self, label: str) -> None:
        """Begin the phases of another migration; statements of the one before are new again."""
        if self._current is None:
            return
        self._close()
        self._heads.clear()
        self._migration, self._first_of_migration = label, len(self.marks)
        self._enter((label, _START))

    def note(self, sql: object) -> None:
        """Begin a phase if ``sql`` has a new shape: its beginning without parameters."""
        if self._current is None or not isinstance(sql, str) or os.getpid() != self._owner:
            return
        head = sql[:_HEAD]
        if head in self._heads or len(self._heads) > _MOST_HEADS:
            return
        # Another thread that is here already begins a phase; a forked child may hold it for good.
        if not self._one_at_a_time.acquire(blocking=False):
            return
        try:
            self._heads.add(head)
            phase = (self._migration, _PARAMETERS.sub("%s", head))
            many = len(self.marks) - self._first_of_migration
            if phase not in self.marks and many < _MOST_PHASES:
                self._close()
                self._enter(phase)
        finally:
            self._one_at_a_time.release()

    def end_of_migration(self) -> None:
        """Begin the phase of the threads and handlers that the process ends with."""
        if self._current is not None:
            self._close()
            self._enter((self._migration, _EXIT))

    def end(self) -> None:
        """Close the last phase; ``peak`` is then the highest of all."""
        self._close()
        if self._current == (self._migration, _EXIT):
            began, peak = self.marks[self._current]
            if peak - began < _LITTLE:
                del self.marks[self._current]
        self._current = None

    def _enter(self, phase: _Phase) -> None:
        now = memory()
        if not (reset_peak() and now):
            self.marks.clear()
            self._current = None
            return
        self.marks[phase] = (now["rss"], now["rss"])
        self._current = phase

    def _close(self) -> None:
        if self._current is not None:
            began, _ = self.marks[self._current]
            highest = memory().get("peak", began)
            self.marks[self._current] = (began, highest)
            self.peak = max(self.peak, highest)
