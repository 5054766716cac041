"""The processes of workers, as the pytest process sees them: each run has one of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil

from pytest_membudget.processes.child import close_stream, kill, send, start_worker
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.job import WorkerJob
from pytest_membudget.processes.worker.control_group import ControlGroup
from pytest_membudget.processes.worker.descendants import Descendants
from pytest_membudget.processes.worker.memory_group import MemoryGroup

_OUTPUT_KEPT = 64 * 1024
_KILL_SECONDS = 5.0
_KILL_EVERY = 0.002


class AtStart(NamedTuple):
    """The peak of all processes while programs ran that the project's imports have started."""

    peak: int = 0
    processes: int = 1


NO_PROGRAMS = AtStart()


class Metered(Protocol):
    """``below`` has the process to measure, and all that it leaves behind; ``template`` is the one
    that it is a copy of, if it is one.
    """

    @property
    def below(self) -> Descendants: ...

    @property
    def template(self) -> int | None: ...

    @property
    def group(self) -> MemoryGroup: ...

    @property
    def at_start(self) -> AtStart: ...


class WorkerProcess(Metered, Protocol):
    """The process of one run."""

    def begin(self, job: WorkerJob) -> None:
        """Have it carry out the job."""

    def poll(self) -> int | None:
        """Its status once it and all that it started have ended; negative after a signal."""

    def end(self) -> str:
        """Kill what is left of it; return the end of what has been printed."""


class FreshWorker:
    """One that starts Python and loads the project by itself, in a group with a limit or not."""

    template: int | None = None
    at_start = NO_PROGRAMS

    def __init__(self, limit: ControlGroup | None = None) -> None:
        self._process = start_worker(enter=limit.enter if limit else ())
        self.below = Descendants(self._process.pid)
        # A process is in one group only.
        self.group = MemoryGroup(None if limit else self._process.pid)
        assert self._process.stdout is not None
        self._output = Output(self._process.stdout.fileno())

    def begin(self, job: WorkerJob) -> None:
        with contextlib.suppress(BrokenPipeError):
            send(self._process, encode(job))

    def poll(self) -> int | None:
        return self._process.poll()

    def end(self) -> str:
        kill(self._process)
        self.group.close()
        text = self._output.text()
        if not self._output.open:
            close_stream(self._process.stdout)
        return text


@dataclass(frozen=True)
class Parent:
    """A supervisor with a template ``below`` it, the control group of both, and where orders go."""

    process: subprocess.Popen[bytes]
    below: Descendants
    group: MemoryGroup
    orders: int
    template: int | None = None
    at_start: AtStart = NO_PROGRAMS


class CopiedWorker:
    """A copy of the template below ``parent``."""

    def __init__(self, parent: Parent, folder: str) -> None:
        self.below, self.template = parent.below, parent.template
        self.group, self.at_start = parent.group, parent.at_start
        self.group.begin()
        self._parent, self._orders = parent.process, parent.orders
        self._pipe = str(Path(folder, "output"))
        os.mkfifo(self._pipe, 0o600)
        self._reading = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)
        # Without a writer there would be an end before the worker has begun.
        self._writing = os.open(self._pipe, os.O_WRONLY)
        os.set_blocking(self._reading, True)
        self._output = Output(self._reading)
        self._ended = Path()

    def begin(self, job: WorkerJob) -> None:
        self._ended = Path(job.ended)
        os.write(self._orders, f"{encode(job)}\n".encode())

    def poll(self) -> int | None:
        if self._ended.exists():
            return None if self._others() else self._status()
        return self._parent.poll()

    def end(self) -> str:
        until = time.monotonic() + _KILL_SECONDS
        while self._parent.poll() is None and (self._others() or not self._ended.exists()):
            for process in self._others():
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    process.kill()
            if time.monotonic() > until:
                kill(self._parent)
            time.sleep(_KILL_EVERY)
        os.close(self._writing)
        text = self._output.text()
        if not self._output.open:
            os.close(self._reading)
        return text

    def _status(self) -> int:
        return os.waitstatus_to_exitcode(int(self._ended.read_text()))

    def _others(self) -> list[psutil.Process]:
        """The worker, and what it has left behind."""
        return [one for one in self.below.now() if one.pid != self.template]


class Output:
    """Drain what a process prints, so that it never blocks, and keep the end of it."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._kept = bytearray()
        self._cut = False
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while chunk := os.read(self._pipe, 8192):
            self._kept += chunk
            self._cut |= len(self._kept) > _OUTPUT_KEPT
            del self._kept[:-_OUTPUT_KEPT]

    @property
    def open(self) -> bool:
        """Whether a process that outlived the worker still holds the other end."""
        return self._thread.is_alive()

    def text(self) -> str:
        self._thread.join(timeout=1)
        text = self._kept.decode(errors="replace")
        # The rest of a secret that was cut in two would not be recognised.
        return text.partition("\n")[2] if self._cut else text
