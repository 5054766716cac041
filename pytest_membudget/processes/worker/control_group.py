"""Memory control groups below those of this process, of version 1 or 2, and their end.

See the kernel's guides: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from pytest_membudget.budget.container import ROOT, counters

_PREFIX = "membudget-limit-"
_ATTEMPTS = 50
_ENTER = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')
_SYSTEMD_SECONDS = 10.0
# The file of the limit, that of memory with swap, and where kills are counted.
_FILES = {
    1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control"),
    2: ("memory.max", "memory.swap.max", "memory.events"),
}


class NoControlGroup(Exception):
    """Why none can be made here."""


@dataclass(frozen=True)
class ControlGroup:
    """One with a limit.  A command that ``enter`` is put before runs in it, with its children.

    ``events`` is None where systemd keeps it, and removes it as soon as it is empty.
    """

    kind: str
    enter: tuple[str, ...]
    events: Path | None = None

    @property
    def kills(self) -> int | None:
        """How many of its processes the kernel has killed for want of memory, if that is known."""
        return None if self.events is None else counters(self.events).get("oom_kill", 0)


@contextlib.contextmanager
def control_group(limit: int) -> Iterator[ControlGroup]:
    """A group of ``limit`` bytes, which is gone afterwards with all processes in it.

    Raises NoControlGroup.
    """
    problem: OSError | None = None
    for version, own in own_groups():
        for parent in (own, *own.parents):
            if parent == ROOT.parent:
                break
            try:
                folder = _make(parent, version, limit)
            except OSError as error:
                problem = problem or error
                continue
            try:
                enter = (*_ENTER, str(folder / "cgroup.procs"))
                yield ControlGroup(f"cgroup v{version}", enter, folder / _FILES[version][2])
            finally:
                _end_processes(folder)
                remove(folder)
            return
    yield _scope(limit, problem)


def own_groups() -> list[tuple[int, Path]]:
    """The control groups of this process that count memory, with their version."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                found.append((1, ROOT / "memory" / path.lstrip("/")))
            elif not controllers:
                found.append((2, ROOT / path.lstrip("/")))
    return found


def remove(folder: Path) -> None:
    """Remove a group whose processes have ended."""
    for _ in range(_ATTEMPTS if folder.exists() else 0):
        try:
            folder.rmdir()
            return
        except OSError:  # the kernel may still be about to count them out
            time.sleep(0.01)


def _end_processes(folder: Path) -> None:
    """Kill what is left in a group, which may start more until it has ended."""
    for _ in range(_ATTEMPTS):
        left = (folder / "cgroup.procs").read_text().split()
        if not left:
            return
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        time.sleep(0.01)


def _remove_left(parent: Path) -> None:
    """Remove the groups of runs that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int(owner)):
                folder.rmdir()


def _make(parent: Path, version: int, limit: int) -> Path:
    """A group below ``parent``.  Raises OSError."""
    limit_file, swap_file, _ = _FILES[version]
    if not (parent / "cgroup.procs").exists():
        raise FileNotFoundError(2, "no control group", str(parent))
    _remove_left(parent)
    if version == 2 and "memory" not in (parent / "cgroup.subtree_control").read_text().split():
        (parent / "cgroup.subtree_control").write_text("+memory")
    folder = parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
    folder.mkdir()
    try:
        (folder / limit_file).write_text(str(limit))
        with contextlib.suppress(OSError):  # a machine without swap has no such file
            (folder / swap_file).write_text(str(limit) if version == 1 else "0")
    except OSError:
        folder.rmdir()
        raise
    return folder


def _scope(limit: int, problem: OSError | None) -> ControlGroup:
    """One that systemd makes for each command.  Raises NoControlGroup."""
    reason = f"{problem.filename}: {problem.strerror}" if problem else "the kernel has none"
    program = shutil.which("systemd-run")
    if program is None:
        raise NoControlGroup(f"no memory control group can be made here ({reason.lower()})")
    user = () if os.geteuid() == 0 else ("--user",)
    enter = (program, *user, "--scope", "--quiet", "--collect", f"--property=MemoryMax={limit}")
    enter = (*enter, "--property=MemorySwapMax=0", "--")
    try:
        subprocess.run(
            [*enter, "true"], check=True, capture_output=True, timeout=_SYSTEMD_SECONDS, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join(str(getattr(error, "stderr", None) or error).split())
        raise NoControlGroup(
            f"no memory control group can be made here ({reason.lower()}; systemd-run: {said})"
        ) from None
    return ControlGroup("systemd-run", enter)
