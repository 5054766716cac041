"""The processes below another one, which are looked for twenty times a second.

psutil reads a file of each process of the machine whenever it is asked for them.
"""

from __future__ import annotations

import contextlib

import psutil


class Descendants:
    """Those of ``ancestor``; orphans among them become children of it.

    A process that is none does not become one, so it is read no more.
    """

    def __init__(self, ancestor: int) -> None:
        self._ancestor = psutil.Process(ancestor)
        present = {*psutil.pids()}
        self._known = {one.pid: one for one in self._ancestor.children(recursive=True)}
        self._others = present - self._known.keys() - {ancestor}

    def now(self) -> list[psutil.Process]:
        """Each after its parent."""
        present = {*psutil.pids()}
        self._others &= present  # the number of one that has ended may be used again
        parents: dict[int, int] = {}
        for pid in sorted(present - self._others - {self._ancestor.pid}):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process = self._known.get(pid) or psutil.Process(pid)
                parents[pid], self._known[pid] = process.ppid(), process
        # The parent of one that is none is none either.  Of one whose parent has just ended the
        # parent is read again.
        self._others |= {pid for pid, parent in parents.items() if parent in self._others | {0}}
        found = [self._ancestor.pid]
        for above in found:
            found += [pid for pid, parent in parents.items() if parent == above]
        self._known = {pid: self._known[pid] for pid in parents if pid not in self._others}
        return [self._known[pid] for pid in found[1:]]
