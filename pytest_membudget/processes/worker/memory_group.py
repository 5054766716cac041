"""A memory control group for one worker, where this process may make one.

The kernel counts in it all memory of the processes below the worker's supervisor, also kinds that
the meter doesn't know.  Its count is no figure of a result, since it has the pages of files on a
tmpfs, which may be on a disk in production.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

import psutil

from pytest_membudget.budget.container import counters
from pytest_membudget.processes.worker.control_group import own_groups, remove

_PREFIX = "membudget-worker-"
# What the kernel can't reclaim, by the version of the control groups.
_HELD = {1: ("total_rss", "total_shmem"), 2: ("anon", "shmem")}
_TRIES = 3


class MemoryGroup:
    """``process`` and all that it starts; ``folder`` is None where none can be made.

    Without a ``process`` there is none.  ``peak`` is the most since ``begin()``.
    """

    def __init__(self, process: int | None) -> None:
        self.peak = self._before = 0
        self.folder: Path | None = None
        self._names: tuple[str, ...] = ()
        if process is None:
            return
        # Another run may take a group for an old one before the process is in it.
        for version, parent in own_groups() * _TRIES:
            folder = parent / f"{_PREFIX}{secrets.token_hex(6)}"
            with contextlib.suppress(OSError):
                _remove_old(parent)
                folder.mkdir()
                self.folder, self._names = folder, _HELD[version]
                _move(process, folder)
                if counters(folder / "memory.stat"):
                    return
            self.close()

    def begin(self) -> None:
        """Count what is held from now on."""
        self.peak, self._before = 0, self._held()

    def look(self, shared: int = 0) -> None:
        """``shared`` are bytes that were held before, and are used as well."""
        self.peak = max(self.peak, self._held() - self._before + shared)

    def _held(self) -> int:
        if self.folder is None:
            return 0
        now = counters(self.folder / "memory.stat")
        return sum(now.get(name, 0) for name in self._names)

    def close(self) -> None:
        """Remove the group, whose processes have ended."""
        if self.folder is not None:
            remove(self.folder)
        self.folder = None


def _move(process: int, folder: Path) -> None:
    """Move a process, then those that it had started before: later ones begin in the group."""
    procs = folder / "cgroup.procs"
    procs.write_text(str(process))
    for child in psutil.Process(process).children(recursive=True):
        with contextlib.suppress(OSError):  # it has ended
            procs.write_text(str(child.pid))


def _remove_old(parent: Path) -> None:
    """Remove the groups of runs that were killed: only those without a process can be removed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            folder.rmdir()
