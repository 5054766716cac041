"""The memory limit of the container that this process runs in, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_membudget.units import format_size

ROOT = Path("/sys/fs/cgroup")
# cgroup v1 writes "no limit" as the largest number of pages that it can count.
_UNLIMITED = 1 << 60
_SHORT_SHARE = 0.05
# See the kernel's guides of cgroup v1 and v2.
_CACHE_V1 = ("total_active_file", "total_inactive_file")
_V1 = ("memory.usage_in_bytes", "memory.oom_control", _CACHE_V1)
_V2 = ("memory.current", "memory.events", ("active_file", "inactive_file"))


@dataclass(frozen=True)
class _Group:
    """A memory control group with a limit, in bytes; the names are those of its files.

    ``cache`` are the counters of ``memory.stat`` for pages of files that the kernel can reclaim.
    """

    folder: Path
    limit: int
    usage: str
    events: str
    cache: tuple[str, ...]

    def is_short(self) -> bool:
        """Whether it is about to run out of memory.  Raises OSError or ValueError."""
        short = int(self.limit * _SHORT_SHARE)
        left = self.limit - int((self.folder / self.usage).read_text())
        if left <= short:
            now = counters(self.folder / "memory.stat")
            left += sum(now.get(name, 0) for name in self.cache)
        return left < short

    def kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        return counters(self.folder / self.events).get("oom_kill", 0)

    def __str__(self) -> str:
        return f"the test run's container ({format_size(self.limit)})"


class Container:
    """The control groups of this process that limit its memory."""

    def __init__(self) -> None:
        self._kills = {group: group.kills() for group in _groups()}

    def shortage(self) -> str | None:
        """The name of the container if it is about to run out of memory."""
        for group in self._kills:
            with suppress(OSError, ValueError):
                if group.is_short():
                    return str(group)
        return None

    def killed(self) -> str | None:
        """The name of the container if the kernel has killed a process in it since the start."""
        return next((str(one) for one, before in self._kills.items() if one.kills() > before), None)


def memory_limit() -> int | None:
    """Bytes of the tightest memory limit on this process's control groups; None without one."""
    return min((group.limit for group in _groups()), default=None)


def _groups() -> Iterator[_Group]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, limit, names = ROOT, "memory.max", _V2
        elif "memory" in controllers.split(","):
            root, limit, names = ROOT / "memory", "memory.limit_in_bytes", _V1
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):
                size = int((root / folder / limit).read_text())
                if size < _UNLIMITED:
                    yield _Group(root / folder, size, *names)


def counters(file: Path) -> dict[str, int]:
    """The counters of a file such as ``memory.stat`` by name; none where it can't be read."""
    try:
        pairs = (line.split() for line in file.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}
