"""Shared memory of a tree of processes that no process maps: files in /dev/shm and memfds.

A container's limit counts its pages; the RSS of a process counts only those that it maps.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

_FOLDER = Path("/dev/shm")
_PROC = Path("/proc")
_IN_FOLDER, _MEMFD = f"{_FOLDER}/", "/memfd:"
# The unit of st_blocks on every file system; see stat(2).
_BLOCK = 512
_Inode = tuple[int, int]


class SharedMemory:
    """The shared memory that processes have taken since this object was made.

    A file in /dev/shm that is new or has grown is counted if one of them has it open, or if it
    belongs to this user and no other process has it open or mapped.
    """

    def __init__(self) -> None:
        self._before = {inode: size for _, inode, size in _files()}
        self._opened: set[_Inode] = set()
        # None of a file that was seen once: it may just have been opened.
        self._nobody_elses: dict[_Inode, bool | None] = {}

    def unmapped(self, pids: Iterable[int]) -> int:
        """Bytes that the processes ``pids`` hold, or have left behind, and do not map."""
        pids = list(pids)
        held = {inode: size for pid in pids for inode, size in self._open_in(pid)}
        for path, inode, size in _files():
            grown = size - self._before.get(inode, 0)
            if grown > 0 and (inode in self._opened or self._is_nobody_elses(path, inode, pids)):
                held[inode] = grown
        taken = sum(held.values())
        return max(0, taken - sum(map(_mapped_by, pids))) if taken else 0

    def remove(self) -> None:
        """Remove the files that the processes have opened and left behind."""
        left = {inode: path for path, inode, _ in _files()}
        for inode in self._opened & left.keys() - self._before.keys():
            with contextlib.suppress(OSError):
                left[inode].unlink()

    def _open_in(self, pid: int) -> Iterator[tuple[_Inode, int]]:
        for path, target in _descriptors(pid):
            if target.startswith((_IN_FOLDER, _MEMFD)):
                with contextlib.suppress(OSError):
                    status = os.stat(path)  # noqa: PTH116, called for each look at a process
                    inode = status.st_dev, status.st_ino
                    if target.startswith(_IN_FOLDER):
                        self._opened.add(inode)
                    yield inode, status.st_blocks * _BLOCK - self._before.get(inode, 0)

    def _is_nobody_elses(self, path: Path, inode: _Inode, pids: list[int]) -> bool:
        if inode not in self._nobody_elses:
            self._nobody_elses[inode] = None
        elif self._nobody_elses[inode] is None:  # to look through all processes takes long
            with contextlib.suppress(OSError):
                own = path.stat().st_uid == os.geteuid()
                self._nobody_elses[inode] = own and not _is_held(str(path), pids)
        return bool(self._nobody_elses[inode])


def _files() -> Iterator[tuple[Path, _Inode, int]]:
    with contextlib.suppress(OSError), os.scandir(_FOLDER) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                inode = status.st_dev, status.st_ino
                yield Path(entry.path), inode, status.st_blocks * _BLOCK


def _descriptors(pid: int) -> Iterator[tuple[str, str]]:
    """The path below /proc of each open file of a process, and what it leads to."""
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with contextlib.suppress(OSError):
                yield f"{folder}/{name}", os.readlink(f"{folder}/{name}")  # noqa: PTH115


def _is_held(path: str, apart_from: list[int]) -> bool:
    """Whether another process has the file open or mapped, as far as this user may see."""
    for process in _PROC.glob("[0-9]*"):
        if int(process.name) in apart_from:
            continue
        with contextlib.suppress(OSError):
            if path in (process / "maps").read_text(errors="replace"):
                return True
        if any(target == path for _, target in _descriptors(int(process.name))):
            return True
    return False


def _mapped_by(pid: int) -> int:
    """Bytes of shared memory that count in the PSS of a process."""
    try:
        maps = psutil.Process(pid).memory_maps()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return sum(one.pss for one in maps if one.path.startswith((_IN_FOLDER, _MEMFD)))
