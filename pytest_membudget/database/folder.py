"""The folder of one run: locked while the run lives, removed by the next one when it died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import IO

_PREFIX = "membudget-"
_LOCK = "lock"
# Only a folder whose lock says so is removed: its name alone proves nothing.
_MARK = b"The scratch databases of one run of pytest-membudget.\n"


class RunFolder:
    """A new folder in ``place``, or the system's temporary folder, which only this user can enter.

    ``place`` is one of those that remove_dead_folders() looks in.
    """

    def __init__(self, place: str | None = None) -> None:
        lock = None
        while lock is None:  # another run may remove the new folder before it is locked
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            with contextlib.suppress(FileNotFoundError):
                (self.path / _LOCK).write_bytes(_MARK)
                lock = _locked(self.path)
        self._lock = lock

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_dead_folders() -> None:
    """Remove the folders of runs that ended without doing it themselves."""
    places = {Path(tempfile.gettempdir()), Path("/tmp")}
    for folder in (folder for place in places for folder in place.glob(f"{_PREFIX}*")):
        with contextlib.suppress(OSError):  # another user's, or being removed
            if _is_ours(folder) and (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()


def is_locked(folder: Path) -> bool:
    """Whether the run of this folder lives."""
    try:
        lock = _locked(folder)
    except OSError:
        return False
    if lock is not None:
        lock.close()
    return lock is None


def machine() -> str:
    """An identifier that processes share which see the same files, and so each other's locks."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    files = Path("/proc/self/ns/mnt")
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts += [boot.read_text().strip(), str(files.stat().st_ino)]
    return " ".join(parts)


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    lock = folder / _LOCK
    return (
        not folder.is_symlink()
        and status.st_uid == os.geteuid()
        and not lock.is_symlink()
        and lock.read_bytes() == _MARK
    )


def _locked(folder: Path) -> IO[bytes] | None:
    lock = (folder / _LOCK).open("rb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
