"""The memory limit of the container that this process runs in."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_ROOT = Path("/sys/fs/cgroup")
# cgroup v1 writes "no limit" as the largest number of pages that it can count.
_UNLIMITED = 1 << 60


def memory_limit() -> int | None:
    """Bytes of the tightest memory limit on this process's control groups; None without one.

    See ``memory.max`` in the kernel's cgroup-v2 guide and ``memory.limit_in_bytes`` in that of v1.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            limits += _limits(_ROOT, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(_ROOT / "memory", path, "memory.limit_in_bytes")
    return min(limits, default=None)


def _limits(root: Path, path: str, name: str) -> list[int]:
    group = PurePosixPath(path.lstrip("/"))
    found = []
    for folder in (group, *group.parents):
        try:
            text = (root / folder / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < _UNLIMITED:
            found.append(int(text))
    return found
