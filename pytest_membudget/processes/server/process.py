"""The pytest process's end of a database server process: its pipes, its end, what it has left."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

from pytest_membudget.database.engine import engine_of
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.child import close_stream, send, start_server
from pytest_membudget.processes.lines import Lines
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.server import ANSWERS, Answer, Greeting, Left, Progress

CLEANUP_SECONDS = 90.0


class ServerProcess:
    """Sends messages and reads answers; the ``greeting`` is empty until it has been read."""

    def __init__(self, alias: str, embedded: Mapping[str, str]) -> None:
        self.greeting = Greeting()
        self.closed = False
        self._names: list[str] = []
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, open as long as the process
        self._process = start_server(alias, embedded, self._log)
        assert self._process.stdout is not None
        self._lines = Lines(self._process.stdout.fileno())

    @property
    def alive(self) -> bool:
        return not (self.closed or self._lines.at_end())

    def send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # there will be no answer either
            send(self._process, encode(message))

    def read(self, until: float) -> Answer:
        """The next answer.  TimeoutError if there is none by ``until``, ServerError at the end."""
        line = self._lines.next(until)
        if not line:
            raise self._died()
        return self._read(line)

    def leave(self) -> None:
        """Close its input, which makes it drop all that it made, and do not wait for that."""
        self.closed = True
        close_stream(self._process.stdin)

    def close(self, seconds: float = CLEANUP_SECONDS) -> None:
        """Leave it, and wait until it has ended."""
        self.leave()
        until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError, subprocess.TimeoutExpired):
            while line := self._lines.next(until):
                with contextlib.suppress(ServerError):  # of another version
                    self._read(line)
            self._process.wait(max(0.0, until - time.monotonic()))
            if not self._log.closed:
                self._names = self._left_by_cleanup(self._names)
            self._log.close()
            close_stream(self._process.stdout)

    def leftovers(self) -> Iterator[str]:
        """After ``close``: each thing that is left, with the command that removes it."""
        running = self._process.poll() is None
        if drop := engine_of(self.greeting.vendor).drop:
            for name in self._names:
                yield f"the database {name}: {drop.format(name=name)}"
        elif self.greeting.folder and running:
            yield f"{self.greeting.folder}: rm -r {self.greeting.folder}"
        if running:
            yield (
                f"process {self._process.pid}, which is still removing them: "
                f"kill -KILL {self._process.pid}"
            )

    def _read(self, line: bytes) -> Answer:
        answer: Answer = ANSWERS.decode(line)
        if not isinstance(answer, Progress):
            self._names = answer.names
        return answer

    def _died(self) -> ServerError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLEANUP_SECONDS)
        status = self._process.returncode
        how = f"ended with status {status}"
        if status is not None and status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        return ServerError(f"the database server process {how}", self._output())

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _left_by_cleanup(self, names: list[str]) -> list[str]:
        """What the cleanup could not drop of this run; ``names`` where there was none."""
        mark = self.greeting.mark
        for line in reversed(self._output().splitlines()):
            with contextlib.suppress(ValueError, ServerError):  # something else
                left: Left = ANSWERS.decode(line)
                return [name for name in left.names if mark and name.startswith(mark)]
        return names
