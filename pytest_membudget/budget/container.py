"""The memory limit of the container that this process runs in, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_membudget.units import format_size

ROOT = Path("/sys/fs/cgroup")
# cgroup v1 writes "no limit" as the largest number of pages that it can count.
_UNLIMITED = 1 << 60
_SHORT_SHARE = 0.05


@dataclass(frozen=True)
class _Group:
    """A memory control group with a limit, in bytes; the names are those of its files.

    ``cache`` are the counters of ``memory.stat`` for pages of files that the kernel can reclaim.
    See the kernel's cgroup-v2 guide, and that of v1.
    """

    folder: Path
    limit: int
    usage: str
    events: str
    cache: tuple[str, ...]

    def left(self, enough: int) -> int:
        """Bytes up to its limit; not to be relied on where it is more than ``enough``."""
        free = self.limit - int((self.folder / self.usage).read_text())
        return free if free > enough else free + self._reclaimable()

    def _reclaimable(self) -> int:
        now = counters(self.folder / "memory.stat")
        return sum(now.get(name, 0) for name in self.cache)

    def kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        return counters(self.folder / self.events).get("oom_kill", 0)


class Container:
    """The control groups of this process that limit its memory."""

    def __init__(self) -> None:
        self._groups = list(_groups())
        self._kills = self._count_kills()

    @property
    def limit(self) -> int | None:
        """Bytes of the tightest limit; None without one."""
        return min((group.limit for group in self._groups), default=None)

    def shortage(self) -> str | None:
        """The name of the container if it is about to run out of memory."""
        for group in self._groups:
            short = int(group.limit * _SHORT_SHARE)
            try:
                if group.left(short) < short:
                    return self._name(group)
            except (OSError, ValueError):
                continue
        return None

    def killed(self) -> str | None:
        """The name of the container if the kernel has killed a process in it since the start."""
        for group, before, now in zip(self._groups, self._kills, self._count_kills(), strict=True):
            if now > before:
                return self._name(group)
        return None

    def _count_kills(self) -> list[int]:
        return [group.kills() for group in self._groups]

    def _name(self, group: _Group) -> str:
        return f"the test run's container ({format_size(group.limit)})"


def memory_limit() -> int | None:
    """Bytes of the tightest memory limit on this process's control groups; None without one."""
    return Container().limit


def _groups() -> Iterator[_Group]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            v2 = ("memory.current", "memory.events", ("active_file", "inactive_file"))
            yield from _limited(ROOT, path, "memory.max", v2)
        elif "memory" in controllers.split(","):
            cache = ("total_active_file", "total_inactive_file")
            v1 = ("memory.usage_in_bytes", "memory.oom_control", cache)
            yield from _limited(ROOT / "memory", path, "memory.limit_in_bytes", v1)


def _limited(
    root: Path, path: str, name: str, files: tuple[str, str, tuple[str, ...]]
) -> Iterator[_Group]:
    group = PurePosixPath(path.lstrip("/"))
    for folder in (group, *group.parents):
        try:
            text = (root / folder / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < _UNLIMITED:
            yield _Group(root / folder, int(text), *files)


def counters(file: Path) -> dict[str, int]:
    """The counters of a file such as ``memory.stat`` by name; none where it can't be read."""
    try:
        pairs = (line.split() for line in file.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}
