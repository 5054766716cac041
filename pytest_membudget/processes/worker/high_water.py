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
_START, _AGAIN, _EXIT = "start", "again", "exit"
_Phase = tuple[str, str, str]
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

    ``marks`` holds what it began with and its peak, in bytes and in order, by the attributes of a
    Phase.  The first shape of a part is ``"start"``, before any statement.  Of several migrations
    each is a part; the label of a single one is left empty.  A receiver is a part, which may begin
    many times: what others add in between counts as if a phase had begun with it.  There are no
    marks where one could not be set back.
    """

    def __init__(self) -> None:
        self.marks: dict[_Phase, tuple[int, int]] = {}
        self.peak = 0
        self._left: dict[_Phase, int] = {}
        self._part = ("", "")
        self._first_of_part = 0
        self._current: _Phase | None = None
        self._heads: set[str] = set()
        self._owner = os.getpid()
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        self._enter(self._phase(_START))

    def begin_part(self, part: tuple[str, str]) -> None:
        """Begin the phases of another part; statements of the one before are new again."""
        if self._current is None:
            return
        self._close()
        self._heads.clear()
        self._part, self._first_of_part = part, len(self.marks)
        started = self._phase(_START) in self.marks
        self._enter(self._phase(_AGAIN if started else _START))

    def note(self, sql: object) -> None:
        """Begin a phase if ``sql`` has a new shape: its beginning without parameters."""
        if self._current is None or not isinstance(sql, str):
            return
        head = sql[:_HEAD]
        if head in self._heads or len(self._heads) > _MOST_HEADS or os.getpid() != self._owner:
            return
        # Another thread that is here already begins a phase; a forked child may hold it for good.
        if not self._one_at_a_time.acquire(blocking=False):
            return
        try:
            self._heads.add(head)
            phase = self._phase(_PARAMETERS.sub("%s", head))
            many = len(self.marks) - self._first_of_part
            if phase not in self.marks and many < _MOST_PHASES:
                self._close()
                self._enter(phase)
        finally:
            self._one_at_a_time.release()

    def end_of_migration(self) -> None:
        """Begin the phase of the threads and handlers that the process ends with."""
        if self._current is not None:
            self._close()
            self._enter(self._phase(_EXIT))

    def end(self) -> None:
        """Close the last phase; ``peak`` is then the highest of all."""
        self._close()
        if self._current == self._phase(_EXIT):
            began, peak = self.marks[self._current]
            if peak - began < _LITTLE:
                del self.marks[self._current]
        self._current = None

    def _phase(self, statement: str) -> _Phase:
        migration, receiver = self._part
        return migration, statement, receiver

    def _enter(self, phase: _Phase) -> None:
        now = memory()
        if not (reset_peak() and now):
            self.marks.clear()
            self._current = None
            return
        began, peak = self.marks.get(phase, (now["rss"], now["rss"]))
        by_others = max(0, now["rss"] - self._left.get(phase, now["rss"]))
        self.marks[phase] = began + by_others, max(peak, now["rss"])
        self._current = phase

    def _close(self) -> None:
        if self._current is not None:
            began, before = self.marks[self._current]
            now = memory()
            highest = max(before, now.get("peak", began))
            self.marks[self._current] = (began, highest)
            self._left[self._current] = now.get("rss", began)
            self.peak = max(self.peak, highest)
