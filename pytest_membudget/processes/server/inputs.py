"""What this process reads: files, folders and environment variables.

The states that it builds depend on that, so a state that was kept is used where all of it is as it
was.  What comes from elsewhere, as from another process or over the network, can't be compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from pytest_membudget.database.kept_states import KeptState
from pytest_membudget.processes.redirection.events import on_event
from pytest_membudget.project.ownership import Ownership
from pytest_membudget.project.syntax import without_classes

# Audit events; see the standard library's "Audit events table".
_FOLDERS = {"os.listdir", "os.scandir"}
_ELSEWHERE = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "socket.connect",
    "socket.sendmsg",
    "socket.sendto",
    "subprocess.Popen",
}
# What the kernel tells of this process, and what membudget sets for this run.
_NO_INPUT = ("/proc/", "/sys/")
_OF_RUN = ("MEMBUDGET_", "PYTHONPATH")


class ChangedMeanwhile(Exception):
    """A file was written since the process began, so it is not known what was read of it."""


class Inputs:
    """Recorded from now on; environment variables only within ``variables_recorded()``.

    ``folder`` is the run's own.  ``elsewhere`` says that something came from elsewhere.
    """

    def __init__(self, folder: str) -> None:
        self.elsewhere = False
        self.variables: set[str] = set()
        self._folder = os.path.realpath(folder) + os.sep
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._began = time.time()
        self._recording = False
        self._paused: int | None = None
        self._digests: dict[tuple[str, bool], str] = {}
        for event in ("open", "import", "sqlite3.connect", *_FOLDERS, *_ELSEWHERE):
            on_event(event, partial(self._note_event, event))
        self._record_variables()

    @contextmanager
    def variables_recorded(self) -> Iterator[None]:
        """Our own code reads variables as well, so it is not within."""
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What this thread reads is no input."""
        self._paused = threading.get_ident()
        try:
            yield
        finally:
            self._paused = None

    def files(self) -> set[str]:
        """Those of the project, and others that neither Python nor a package brings."""
        ownership = Ownership([])
        sources = map(_source, self._files.copy())
        return {file for file in sources if self._counts(file) and ownership.is_own(file)}

    def folders(self) -> set[str]:
        """Those of which the names were read, but for those that modules are searched in."""
        ownership = Ownership([])
        return {
            folder
            for folder in self._folders.copy()
            if self._counts(f"{folder}/")
            and ownership.is_own(f"{folder}/")
            and folder not in sys.path
            and not Path(folder, "__init__.py").exists()
        }

    def add(self, files: Iterable[str], folders: Iterable[str], variables: Iterable[str]) -> None:
        """Add what another process has read to build what this one uses."""
        self._files.update(files)
        self._folders.update(folders)
        self.variables.update(variables)

    def digest(self, facts: object, state: KeptState) -> str:
        """That of the inputs of a state as they are now.  Raises ChangedMeanwhile."""
        partly = set(state.without_classes)
        whole = [
            facts,
            {file: self._file_digest(file, whole=file not in partly) for file in state.files},
            {folder: _names(folder) for folder in state.folders},
            {name: os.environ.get(name) for name in state.variables},
        ]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    def _note_event(self, event: str, args: tuple[Any, ...]) -> None:
        if self._paused == threading.get_ident():
            return
        if event == "open":
            path, _, flags = args
            if (flags or 0) & os.O_ACCMODE != os.O_WRONLY:
                self._note(self._files, path)
        elif event == "import":
            self._note(self._files, args[1])  # the file of an extension in C
        elif event in _FOLDERS:
            self._note(self._folders, os.curdir if args[0] is None else args[0])
        elif event == "sqlite3.connect":
            self.elsewhere |= not self._is_of_run(args[0])
        else:
            self.elsewhere = True

    def _note(self, found: set[str], path: Any) -> None:
        if path is None or isinstance(path, int):  # a descriptor
            return
        with suppress(TypeError, ValueError, OSError):
            found.add(absolute(path))

    def _is_of_run(self, database: Any) -> bool:
        with suppress(TypeError, ValueError):
            name = os.fsdecode(database)
            return name == ":memory:" or os.path.realpath(name).startswith(self._folder)
        return False

    def _counts(self, path: str) -> bool:
        return not path.startswith((*_NO_INPUT, self._folder))

    def _record_variables(self) -> None:
        kind: Any = type(os.environ)
        get = kind.__getitem__

        def __getitem__(environ: Any, name: Any) -> Any:
            if self._recording and self._paused != threading.get_ident():
                with suppress(TypeError):  # an error of the caller's
                    if not (text := os.fsdecode(name)).startswith(_OF_RUN):
                        self.variables.add(text)
            return get(environ, name)

        kind.__getitem__ = __getitem__

    def _file_digest(self, file: str, *, whole: bool) -> str:
        if (file, whole) not in self._digests:
            self._digests[file, whole] = self._digest_now(file, whole=whole)
        return self._digests[file, whole]

    def _digest_now(self, file: str, *, whole: bool) -> str:
        try:
            status = os.stat(file)
            if not stat.S_ISREG(status.st_mode):
                return "no regular file"
            if status.st_ctime > self._began:
                raise ChangedMeanwhile(file)
            content = Path(file).read_bytes() if whole else without_classes(file).encode()
            return hashlib.sha256(content).hexdigest()
        except OSError as error:
            return type(error).__name__


def absolute(path: Any) -> str:
    """The form in which files and folders are recorded."""
    return os.path.abspath(os.fsdecode(path))


def _source(file: str) -> str:
    """The source of a file of bytecode; other files are their own."""
    with suppress(ValueError, NotImplementedError):
        return source_from_cache(file) if file.endswith(".pyc") else file
    return file


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        return [type(error).__name__]
