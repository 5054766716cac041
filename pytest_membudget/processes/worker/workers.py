"""Where the workers of one alias come from: copies of a template, or processes of their own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from pytest_membudget.database.target import PENDING, Target
from pytest_membudget.processes.child import close_stream, kill, send, start_worker
from pytest_membudget.processes.worker.memory_group import MemoryGroup
from pytest_membudget.processes.worker.process import (
    CopiedWorker,
    FreshWorker,
    Output,
    Parent,
    WorkerProcess,
)

_LOOK_EVERY = 0.005


class Workers:
    """``folder`` and ``mark`` are those of the run's scratch databases, see Target."""

    def __init__(self, alias: str, folder: str, mark: str) -> None:
        self._alias = alias
        self._folder = folder
        self._mark = mark
        self._template: _Template | None = None
        self._fit = True
        self.prepare()

    def prepare(self) -> None:
        """Start a template without waiting for it, where there is none of this environment."""
        if self._template is not None and self._template.circumstances != _circumstances():
            self.close()
        if self._template is None and self._fit:
            self._template = _Template(self._alias, self._folder, self._mark)

    def start(self, folder: str, seconds: float) -> WorkerProcess:
        """A worker whose run has its files in ``folder``; a template has ``seconds`` to load."""
        self.prepare()
        template = self._template
        if template is None:
            return FreshWorker()
        pid = template.pid(seconds)
        if pid is None:
            # The project can't be copied; a template that was killed is no reason for that.
            self._fit = not template.refused
            self.close()
            return FreshWorker()
        return CopiedWorker(template.parent, pid, folder)

    def close(self) -> None:
        if self._template is not None:
            self._template.close()
            self._template = None


class _Template:
    """The process of worker/template.py; ``refused`` says that there are no copies of it."""

    def __init__(self, alias: str, folder: str, mark: str) -> None:
        self.circumstances = _circumstances()
        self.refused = False
        self._folder = tempfile.mkdtemp(dir=folder)
        target = Target(alias, PENDING, mark, folder, file=str(Path(self._folder, "target.json")))
        target.write()
        self._ready = Path(f"{target.file}.ready")
        orders = f"{target.file}.orders"
        os.mkfifo(orders, 0o600)
        process = start_worker("worker.template")
        # Opened for both, it does not wait for the other end.
        self.parent = Parent(process, MemoryGroup(process.pid), os.open(orders, os.O_RDWR))
        assert process.stdout is not None
        Output(process.stdout.fileno())
        send(process, target.file)

    def pid(self, seconds: float) -> int | None:
        """Of the process to copy, once it has loaded the project; None where it can't be copied."""
        until, process = time.monotonic() + seconds, self.parent.process
        while not self._ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                return None
            time.sleep(_LOOK_EVERY)
        self.refused = bool(self._ready.read_text())
        if self.refused or process.poll() is not None:
            return None
        return psutil.Process(process.pid).children()[0].pid

    def close(self) -> None:
        kill(self.parent.process)
        close_stream(self.parent.process.stdout)
        os.close(self.parent.orders)
        self.parent.group.close()


def _circumstances() -> tuple[object, ...]:
    """What decides how a project is loaded."""
    return dict(os.environ), list(sys.path), str(Path.cwd())
