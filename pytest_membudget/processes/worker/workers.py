"""Where the workers of one alias come from: copies of a template, or processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pytest_membudget.database.target import PENDING, Target
from pytest_membudget.processes.child import close_stream, inherited, kill, send, start_worker
from pytest_membudget.processes.messages.server import Greeting
from pytest_membudget.processes.worker.descendants import Descendants
from pytest_membudget.processes.worker.memory_group import MemoryGroup
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.processes.worker.process import (
    CopiedWorker,
    FreshWorker,
    Output,
    Parent,
    WorkerProcess,
)

_LOOK_EVERY = 0.01
_END_SECONDS = 2.0


class Workers:
    """``server`` is the greeting of the database server process, ``embedded`` that of a Target."""

    def __init__(self, alias: str, server: Greeting, embedded: Mapping[str, str]) -> None:
        self._alias = alias
        self._server = server
        self._embedded = embedded
        self._template: _Template | None = None
        self._fit = True
        self._prepare()

    @property
    def copies(self) -> bool:
        """Whether they are copies, as far as is known yet."""
        return self._fit

    def wait(self, seconds: float) -> None:
        """Wait until a template is loaded, so that what follows is the run's own time."""
        if self._template is not None:
            self._template.loaded(seconds)

    def stop_copying(self) -> None:
        self._fit = False
        self.close()

    def start(self, folder: str, seconds: float) -> WorkerProcess:
        """A worker whose run has its files in ``folder``; a template has ``seconds`` to load."""
        self._prepare()
        template = self._template
        if template is None:
            return FreshWorker()
        parent = template.loaded(seconds)
        if parent is None:
            # The project can't be copied; a template that was killed is no reason for that.
            self._fit = not template.refused
            self.close()
            return FreshWorker()
        return CopiedWorker(parent, folder)

    def close(self) -> None:
        if self._template is not None:
            self._template.close()
            self._template = None

    def _prepare(self) -> None:
        """Start a template without waiting for it, where there is none of these circumstances."""
        if self._template is not None and self._template.circumstances != _circumstances():
            self.close()
        if self._template is None and self._fit:
            self._template = _Template(self._alias, self._server, self._embedded)


class _Template:
    """The process of worker/template.py; ``refused`` says that there are no copies of it."""

    def __init__(self, alias: str, server: Greeting, embedded: Mapping[str, str]) -> None:
        self.circumstances = _circumstances()
        self.refused = False
        own = tempfile.mkdtemp(dir=server.folder)
        file = str(Path(own, "target.json"))
        target = Target(alias, PENDING, server.mark, server.folder, file, embedded=embedded)
        target.password = server.password
        target.write()
        orders = f"{target.file}.orders"
        os.mkfifo(orders, 0o600)
        process = start_worker("worker.template")
        # Opened for both, it does not wait for the other end.
        below, group = Descendants(process.pid), MemoryGroup(process.pid)
        self._parent = Parent(process, below, group, os.open(orders, os.O_RDWR))
        assert process.stdout is not None
        Output(process.stdout.fileno())
        self._ready = Path(f"{target.file}.ready")
        self._meter = Meter(self._parent, self._ready)
        self._loading = threading.Thread(target=self._watch, daemon=True)
        self._loading.start()
        send(process, target.file)

    def loaded(self, seconds: float) -> Parent | None:
        """Once it has loaded the project; None where it can't be copied."""
        self._loading.join(seconds)
        self.refused = self._ready.exists() and bool(self._ready.read_text())
        if self.refused or not self._ready.exists() or self._parent.process.poll() is not None:
            return None
        if self._parent.template is None:
            template, at_start = self._parent.below.now()[0], self._meter.at_start
            self._parent = replace(self._parent, template=template.pid, at_start=at_start)
        return self._parent

    def close(self) -> None:
        if self.refused:  # it ends by itself, as the project wants it to
            with suppress(subprocess.TimeoutExpired):
                self._parent.process.wait(_END_SECONDS)
        kill(self._parent.process)
        close_stream(self._parent.process.stdout)
        os.close(self._parent.orders)
        self._parent.group.close()

    def _watch(self) -> None:
        """Measure the programs that the project's imports run."""
        while not self._ready.exists() and self._parent.process.poll() is None:
            self._meter.look()
            time.sleep(_LOOK_EVERY)


def _circumstances() -> tuple[object, ...]:
    """What decides how a project is loaded."""
    return inherited(), list(sys.path), str(Path.cwd())
