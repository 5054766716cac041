"""The folder of one run: locked while the run lives, removed by the next one when it died."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

_PREFIX = "membudget-"


class RunFolder:
    """A new folder below the system's temporary folder."""

    def __init__(self) -> None:
        lock = None
        while lock is None:  # another run may have taken the new folder for a dead one's
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            with contextlib.suppress(FileNotFoundError):
                lock = _locked(self.path)
        self._lock = lock

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_dead_folders() -> None:
    """Remove the folders of runs that ended without doing it themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or not (folder / "lock").is_file():
                continue
            lock = _locked(folder)
        except OSError:  # another user's
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


def _locked(folder: Path) -> IO[bytes] | None:
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
