"""The memory of the database server's processes that work for one database, where visible.

PostgreSQL has a process for each session, and names the database in its title.  What it takes
beside the shared buffers is anonymous memory, of which the kernel keeps no high-water mark.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PARALLEL = re.compile(r"parallel worker for PID (\d+)")
# Looking for sessions may take this share of the time, and more until there is one.
_SHARE, _SHARE_BEFORE = 0.02, 0.2
_EVERY = 0.05
# About as fast as a process fills memory, in bytes a second.
_FASTEST = 1024**3


class ServerProcesses:
    """Those called ``name`` that have a session of ``database``, and the workers that help them.

    ``peak`` is the most of their anonymous memory that was seen at one instant, in bytes; None
    where none was seen.  ``unseen`` is how much more there may have been for a time that was too
    short to be seen.
    """

    def __init__(self, name: str, database: str) -> None:
        self.peak: int | None = None
        self.unseen = 0
        self._looked = time.monotonic()
        self._name = name
        self._database = database
        self._others: set[str] = set()
        self._found: list[str] = []
        self._next = 0.0

    def look(self) -> None:
        begin = time.monotonic()
        if begin >= self._next:
            self._found = self._sessions()
            took = time.monotonic() - begin
            pause = max(_EVERY, took / _SHARE) if self._found else took / _SHARE_BEFORE
            self._next = begin + took + pause
        elif not self._found:
            return
        if self._found:
            now = sum(map(_anonymous, self._found))
            if not now:  # another session may follow the one that has ended
                self._next = 0.0
            self.peak = max(self.peak or 0, now)
            self.unseen = max(self.unseen, int((begin - self._looked) * _FASTEST))
        self._looked = begin

    def may_be_unseen(self, duration: float) -> int:
        """``unseen``, or what may have come and gone in seconds in which none was seen."""
        return int(duration * _FASTEST) if self.peak is None else self.unseen

    def _sessions(self) -> list[str]:
        titles = {}
        with suppress(OSError):
            for process in (one.name for one in _PROC.iterdir() if one.name.isdigit()):
                if process not in self._others and (title := self._title(process)):
                    titles[process] = title
        own = [process for process, title in titles.items() if _is_session(title, self._database)]
        helping = ((process, _PARALLEL.search(title)) for process, title in titles.items())
        return own + [process for process, its in helping if its and its[1] in own]

    def _title(self, process: str) -> str:
        """Empty for a process of something else, which is not looked at again."""
        title = _title(process, self._name)
        if title is None:
            self._others.add(process)
        return title or ""


def memory_of_session(process: int, name: str, database: str) -> tuple[int, int] | None:
    """What a process that is called ``name`` and has a session of ``database`` took at least and at
    most, as its high-water mark tells; None where it is not visible.
    """
    title = _title(str(process), name)
    if not title or not _is_session(title, database):
        return None
    return _anonymous(str(process)), _kib(str(process)).get("VmHWM", 0) * 1024


def _title(process: str, name: str) -> str | None:
    """None for a process of something else."""
    with suppress(OSError):
        if (_PROC / process / "comm").read_text().strip() != name:
            return None
        title = (_PROC / process / "cmdline").read_bytes()
        return title.rstrip(b"\0").decode(errors="replace")
    return ""


def _is_session(title: str, database: str) -> bool:
    words = title.split()
    return database in words and "autovacuum" not in words


def _anonymous(process: str) -> int:
    """What it takes now, or what it took when it was largest if that was more for certain: its
    high-water mark without the shared memory and the files, which it does not give back.
    """
    with suppress(KeyError):
        kib = _kib(process)
        shared = kib["RssFile"] + kib["RssShmem"]
        return max(kib["RssAnon"], kib["VmHWM"] - shared) * 1024
    return 0


def _kib(process: str) -> dict[str, int]:
    """The kernel's figures of a process; none where it has ended."""
    with suppress(OSError):
        lines = (_PROC / process / "status").read_text().splitlines()
        pairs = (line.partition(":") for line in lines if line.endswith("kB"))
        return {name: int(rest.split()[0]) for name, _, rest in pairs}
    return {}
