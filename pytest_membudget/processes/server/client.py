"""The pytest process's end of the stage: one order at a time, waited for or not."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

from pytest_membudget.errors import NoRoom, OutOfTime, ServerError
from pytest_membudget.processes.child import close_stream, send, start_server
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.lines import Lines
from pytest_membudget.processes.server.cleanup import LEFT
from pytest_membudget.project.secrets import Secrets, known_secrets
from pytest_membudget.units import format_seconds

# Building a state walks through all migrations before it; one of them takes seconds at most.
STATE_SECONDS = 900.0
STEP_SECONDS = 120.0
_BUILDS_A_STATE = ("prepare", "tables")
# To clone, to drop, and the least that is given to a seed.
_ORDER_SECONDS = 60.0
_LEAST_SECONDS = 5.0
_CLEANUP_SECONDS = 90.0
_INTERRUPTED_SECONDS = 0.5


class ServerClient:
    """Starts the stage's process and gives it orders.

    ``call`` waits for the answer; ``begin`` doesn't, and has to be followed by ``finish`` before
    the next order.  Raises ServerError where an order failed, and OutOfTime where it took too long:
    a seed is bound to ``deadline``, the check's, and building a state to ``STATE_SECONDS``, of
    which one migration may take ``STEP_SECONDS``.  ``progress`` is told how far a state is.
    """

    def __init__(self, alias: str) -> None:
        self.deadline: Deadline | None = None
        self.progress: Callable[[str], None] = lambda text: None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, open as long as the process
        self._process = start_server(alias, subprocess.PIPE, self._log)
        assert self._process.stdout is not None
        self._lines = Lines(self._process.stdout.fileno())
        self._order: tuple[str, float, float] | None = None
        self._closed = False
        self._names: list[str] = []
        # What a process weighs that applies nothing, and with how many models; see schema_only.py.
        self.idle: tuple[int, int] | None = None
        self.folder = self.mark = self.vendor = self.version = ""
        self._send("start", {"alias": alias}, STEP_SECONDS)
        try:
            hello = self.finish()
        except BaseException:
            self.close(_INTERRUPTED_SECONDS)
            raise
        self.folder, self.vendor, self.version = hello["folder"], hello["vendor"], hello["version"]
        self.mark = hello["mark"]
        self.secrets: list[str] = hello["secrets"]

    @property
    def alive(self) -> bool:
        return not (self._closed or self._lines.at_end())

    def call(self, do: str, **arguments: Any) -> Any:
        paused = self.deadline and do in _BUILDS_A_STATE
        with self.deadline.paused() if self.deadline and paused else contextlib.nullcontext():
            self.begin(do, **arguments)
            return self.finish()

    @contextlib.contextmanager
    def bound_to(self, deadline: Deadline, progress: Callable[[str], None]) -> Iterator[None]:
        """Work for one check; what comes after it has no part in its deadline."""
        self.deadline, self.progress = deadline, progress
        try:
            yield
        finally:
            self.deadline, self.progress = None, lambda text: None

    def begin(self, do: str, **arguments: Any) -> None:
        assert self._order is None, "one order at a time"
        if self._closed:
            raise ServerError("the process that makes scratch databases has ended")
        what = arguments.get("seed") or do
        self._send(what, {"do": do, **arguments}, self._seconds(do))

    def finish(self) -> Any:
        """Wait for the answer to the order under way."""
        assert self._order is not None, "an order is under way"
        what, seconds, until = self._order
        try:
            answer = self._answer(what, seconds, until)
        except BaseException:
            # Nobody will ask for the answer any more, so the next order would get it.
            self.leave()
            raise
        finally:
            self._order = None
        self._names = answer.get("names", self._names)
        if "failed" in answer:
            kind = NoRoom if answer.get("no_room") else ServerError
            raise kind(answer["failed"], answer["details"])
        return answer["done"]

    def leave(self) -> None:
        """Close its input, which makes it drop all that it made, and do not wait for that."""
        self._closed = True
        close_stream(self._process.stdin)

    def close(self, seconds: float = _CLEANUP_SECONDS) -> None:
        """Leave it, and wait until it has ended."""
        self.leave()
        until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError, subprocess.TimeoutExpired):
            while line := self._lines.next(until):
                self._names = json.loads(line).get("names", self._names)
            self._process.wait(max(0.0, until - time.monotonic()))
            if not self._log.closed:
                self._names = self._left_by_cleanup(self._names)
            self._log.close()
            close_stream(self._process.stdout)

    def leftovers(self) -> Iterator[str]:
        """After ``close``: each thing that is left, with the command that removes it."""
        running = self._process.poll() is None
        if self.vendor == "sqlite" and running:
            yield f"{self.folder}: rm -r {self.folder}"
        elif self.vendor == "postgresql":
            for name in self._names:
                yield f'the database {name}: DROP DATABASE "{name}" WITH (FORCE);'
        if running:
            yield (
                f"process {self._process.pid}, which is still removing them: "
                f"kill -KILL {self._process.pid}"
            )

    def _seconds(self, do: str) -> float:
        if do in _BUILDS_A_STATE or self.deadline is None:
            return STATE_SECONDS
        return max(_LEAST_SECONDS, self.deadline.left()) if do == "seed" else _ORDER_SECONDS

    def _send(self, what: str, message: dict[str, Any], seconds: float) -> None:
        self._order = what, seconds, time.monotonic() + seconds
        with contextlib.suppress(BrokenPipeError):  # there will be no answer either
            send(self._process, message)

    def _answer(self, what: str, seconds: float, until: float) -> dict[str, Any]:
        step = ""
        while True:
            last = min(until, time.monotonic() + STEP_SECONDS) if step else until
            try:
                line = self._lines.next(last)
            except TimeoutError:
                raise self._out_of_time(what, seconds, step, last < until) from None
            if not line:
                raise self._died()
            answer: dict[str, Any] = json.loads(line)
            if "progress" not in answer:
                return answer
            step = answer["progress"]
            self.progress(f"building the state before it: {step}")

    def _out_of_time(self, what: str, seconds: float, step: str, only_step: bool) -> OutOfTime:
        took = format_seconds(STEP_SECONDS if only_step else seconds)
        if step:
            text = f"the state before the migration was not built: {step} had not ended"
            return OutOfTime(f"{text} after {took}")
        if what == "start":
            return OutOfTime(f"the project was not loaded after {took}")
        if self.deadline is not None and what not in _BUILDS_A_STATE:
            budget = format_seconds(self.deadline.seconds)
            name = "generating its rows" if what == "seed" else what
            return OutOfTime(f"{name} had not ended after {took}; its time budget is {budget}")
        return OutOfTime(f"the state before the migration was not built after {took}")

    def _died(self) -> ServerError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLEANUP_SECONDS)
        status = self._process.returncode
        how = f"ended ({status})"
        if status is not None and status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        return ServerError(f"the process that makes scratch databases {how}", self._output())

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _left_by_cleanup(self, names: list[str]) -> list[str]:
        """What the cleanup could not drop of this run; ``names`` where there was none."""
        for line in reversed(self._output().splitlines()):
            if line.startswith(LEFT):
                left = line.removeprefix(LEFT).split()
                return [name for name in left if self.mark and name.startswith(self.mark)]
        return names


class ServerClients:
    """The stages of one run, one an alias, each started when it is first needed."""

    def __init__(self) -> None:
        self._working: dict[str, ServerClient] = {}
        self._left: list[ServerClient] = []

    def get(self, alias: str) -> ServerClient:
        """A stage that works; one that died is replaced, since the next check may do better."""
        server = self._working.get(alias)
        if server is None or not server.alive:
            if server is not None:
                server.leave()
                self._left.append(server)
            server = self._working[alias] = ServerClient(alias)
        return server

    @property
    def secrets(self) -> Secrets:
        """Those of this process, and of the settings where a stage has loaded them."""
        of_stages = (one for server in self._working.values() for one in server.secrets)
        return Secrets({*known_secrets().values, *of_stages})

    def close(self, *, interrupted: bool = False) -> list[str]:
        """End all of them; what is left of a run that was not interrupted, and how to remove it.

        Each goes on to drop what it made even when this process does not wait for it any more.
        """
        servers = [*self._left, *self._working.values()]
        for server in servers:
            server.leave()
        for server in servers:
            server.close(_INTERRUPTED_SECONDS if interrupted else _CLEANUP_SECONDS)
        left = [text for server in servers for text in server.leftovers()]
        self._working.clear()
        self._left.clear()
        return left
