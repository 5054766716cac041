"""Databases of a project's states that are kept between runs, as files in a folder of the project.

A file is a line of JSON, a KeptState, and the compressed content of a SQLite database.  It appears
at once and is never changed, so it is read without a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

FOLDER = ".membudget_cache"
"""Its name in pytest's rootdir."""
# Only a folder whose tag says so is used or removed: its name alone proves nothing.
_TAG = "CACHEDIR.TAG"
_MARK = """\
Signature: 8a477f597d28d172789f06886806bc55
# States of databases that pytest-membudget has built, kept for its next run.
# `membudget cache --clear` removes this folder.  See https://bford.info/cachedir/ for the tag.
"""
_IGNORED = "# By pytest-membudget.\n*\n"
_LOCK, _SUFFIX, _PART = "lock", ".state", ".part"
# What a state is built from may depend on the day; see docs/states.md.
_DAYS = 7
_MOST_BYTES = 256 * 1024 * 1024
_LOOK_EVERY, _TELL_EVERY = 0.05, 10.0

Key = tuple[str, str]


@dataclass(frozen=True)
class KeptState:
    """A database to which ``applied`` were applied, after which there are so many ``models``.

    With ``models`` None it was kept on the way to another state: the receivers of ``post_migrate``
    have not run, so it is only for others to grow from.

    ``files``, ``folders`` and ``variables`` are what was read to build it; the classes in some of
    the files, ``without_classes``, have no part in it.  ``digest`` is that of all this, see Inputs,
    and ``content`` that of the database.
    """

    applied: frozenset[Key]
    models: int | None
    files: list[str]
    folders: list[str]
    variables: list[str]
    without_classes: list[str]
    digest: str = ""
    content: str = ""

    @cached_property
    def name(self) -> str:
        """The name of its file: a file of another name was damaged."""
        return hashlib.sha256(self.line()).hexdigest()[:32] + _SUFFIX

    def line(self) -> bytes:
        fields = {**asdict(self), "applied": sorted(self.applied)}
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class KeptStates:
    """The states in the folder ``path``, which need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, KeptState] = {}

    def all(self) -> list[KeptState]:
        """Those that were built lately; none where the folder is not ours."""
        states = []
        for file in self._files():
            with contextlib.suppress(OSError, ValueError):  # removed just now, or damaged
                if file.stat().st_mtime > time.time() - _DAYS * 24 * 3600:
                    states.append(self._read(file))
        return states

    def content(self, state: KeptState) -> bytes | None:
        """The database; None where it is gone or damaged."""
        try:
            with (self.path / state.name).open("rb") as file:
                file.readline()
                content = zlib.decompress(file.read())
        except (OSError, zlib.error):
            return None
        return content if _digest(content) == state.content else None

    def add(self, state: KeptState, content: bytes) -> None:
        """Keep a database, where the folder can be written to, and remove what is too much."""
        if not self.is_ours():
            return
        state = replace(state, content=_digest(content))
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self.path, suffix=_PART, delete=False) as file:
                file.write(state.line() + zlib.compress(content, 1))
            Path(file.name).replace(self.path / state.name)
            self._remove_surplus()

    def remove(self, state: KeptState) -> None:
        with contextlib.suppress(OSError):
            (self.path / state.name).unlink()

    @contextlib.contextmanager
    def building(self, wait: Callable[[], None]) -> Iterator[None]:
        """Be the only process that builds a state of this project; ``wait`` is called at times.

        Where the folder can't be written to, nothing is waited for.
        """
        with contextlib.ExitStack() as opened:
            with contextlib.suppress(OSError):
                self._make()
                lock = opened.enter_context((self.path / _LOCK).open("wb"))
                told = 0.0
                while not _lock(lock.fileno()):
                    if time.monotonic() - told > _TELL_EVERY:
                        wait()
                        told = time.monotonic()
                    time.sleep(_LOOK_EVERY)
            yield

    def is_ours(self) -> bool:
        """Whether there is such a folder that membudget has made for this user."""
        try:
            status = self.path.lstat()
            tag = (self.path / _TAG).read_text()
        except (OSError, ValueError):
            return False
        return not self.path.is_symlink() and status.st_uid == os.geteuid() and tag == _MARK

    def size(self) -> int:
        return sum(file.stat().st_size for file in self._files())

    def clear(self) -> None:
        """Remove the folder, where it is ours.  Raises OSError."""
        if self.is_ours():
            shutil.rmtree(self.path)

    def _files(self) -> list[Path]:
        return list(self.path.glob(f"*{_SUFFIX}")) if self.is_ours() else []

    def _read(self, file: Path) -> KeptState:
        """Raises ValueError for a damaged one."""
        if file.name not in self._known:
            with file.open("rb") as stream:
                state = msgspec.json.decode(stream.readline(), type=KeptState)
            if state.name != file.name:
                raise ValueError(f"{file} is damaged")
            self._known[file.name] = state
        return self._known[file.name]

    def _make(self) -> None:
        """Make the folder where there is none.  Raises OSError where it can't be had."""
        if not self.is_ours():
            new = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-", dir=self.path.parent))
            try:
                (new / ".gitignore").write_text(_IGNORED)
                (new / _TAG).write_text(_MARK)
                new.rename(self.path)
            except OSError:  # another process was quicker, or there is a folder of somebody's
                shutil.rmtree(new, ignore_errors=True)
        if not self.is_ours():
            raise OSError(f"{self.path} is not a folder of pytest-membudget")

    def _remove_surplus(self) -> None:
        """Remove the oldest files, and parts of files: only the process with the lock writes."""
        for part in self.path.glob(f"*{_PART}"):
            part.unlink()
        left, oldest = _MOST_BYTES, time.time() - _DAYS * 24 * 3600
        for status, file in sorted(((file.stat(), file) for file in self._files()), key=_newest):
            left -= status.st_size
            if left < 0 or status.st_mtime < oldest:
                file.unlink()


def _newest(entry: tuple[os.stat_result, Path]) -> int:
    return -entry[0].st_mtime_ns


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
