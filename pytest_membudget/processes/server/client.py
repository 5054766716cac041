"""Orders to database server processes: one at a time each, waited for or not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_membudget.errors import NoRoom, OutOfTime, ServerError
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.messages.orders import A, Order, Seed
from pytest_membudget.processes.messages.server import (
    Done,
    Failed,
    Greeting,
    Progress,
    Start,
    answer_of,
)
from pytest_membudget.processes.server.process import CLEANUP_SECONDS, ServerProcess
from pytest_membudget.project.secrets import Secrets, known_secrets
from pytest_membudget.units import format_seconds

# Building a state walks through all migrations before it; one of them takes seconds at most.
STATE_SECONDS = 900.0
STEP_SECONDS = 120.0
# The least that is given to a seed; to clone, and to drop.
LEAST_SECONDS = 5.0
_ORDER_SECONDS = 60.0
_INTERRUPTED_SECONDS = 0.5


@dataclass(frozen=True)
class _UnderWay:
    """An order that has been sent: it may take ``seconds``, which are over at ``until``."""

    order: Order[Any]
    seconds: float
    until: float


class ServerClient:
    """Starts a database server process and gives it orders.

    ``call`` waits for the answer; ``begin`` doesn't, and has to be followed by ``finish`` before
    the next order.  Raises ServerError where an order failed, and OutOfTime where it took too long:
    a seed is bound to ``deadline``, the check's, and building a state to ``STATE_SECONDS``, of
    which one migration may take ``STEP_SECONDS``.  ``progress`` is told how far a state is.
    ``greeting`` is what the process says of its database.
    """

    def __init__(self, alias: str) -> None:
        self.deadline: Deadline | None = None
        self.progress: Callable[[str], None] = lambda text: None
        # What a process weighs that applies nothing, and with how many models; see schema_only.py.
        self.idle: tuple[int, int] | None = None
        self._process = ServerProcess(alias)
        self._under_way: _UnderWay | None = None
        self._send(Start(alias), STEP_SECONDS)
        try:
            self.greeting: Greeting = self.finish()
        except BaseException:
            self.close(_INTERRUPTED_SECONDS)
            raise
        self._process.greeting = self.greeting

    @property
    def alive(self) -> bool:
        return self._process.alive

    def call(self, order: Order[A]) -> A:
        paused = self.deadline.paused() if self.deadline and order.builds_state else None
        with paused or contextlib.nullcontext():
            self.begin(order)
            answer: A = self.finish()
            return answer

    @contextlib.contextmanager
    def bound_to(self, deadline: Deadline, progress: Callable[[str], None]) -> Iterator[None]:
        """Work for one check; what comes after it has no part in its deadline."""
        self.deadline, self.progress = deadline, progress
        try:
            yield
        finally:
            self.deadline, self.progress = None, lambda text: None

    def begin(self, order: Order[Any]) -> None:
        assert self._under_way is None, "one order at a time"
        if self._process.closed:
            raise ServerError("the process that makes scratch databases has ended")
        self._send(order, self._seconds(order))

    def finish(self) -> Any:
        """Wait for the answer to the order under way, of the type that the order says."""
        assert self._under_way is not None, "an order is under way"
        under_way = self._under_way
        try:
            answer = self._answer(under_way)
        except BaseException:
            # Nobody will ask for the answer any more, so the next order would get it.
            self.leave()
            raise
        finally:
            self._under_way = None
        if isinstance(answer, Failed):
            kind = NoRoom if answer.no_room else ServerError
            raise kind(answer.text, answer.details)
        return answer_of(answer, under_way.order)

    def leave(self) -> None:
        """Close its input, which makes it drop all that it made, and do not wait for that."""
        self._process.leave()

    def close(self, seconds: float = CLEANUP_SECONDS) -> None:
        """Leave it, and wait until it has ended."""
        self._process.close(seconds)

    def leftovers(self) -> Iterator[str]:
        """After ``close``: each thing that is left, with the command that removes it."""
        return self._process.leftovers()

    def _seconds(self, order: Order[Any]) -> float:
        if order.builds_state or self.deadline is None:
            return STATE_SECONDS
        least = max(LEAST_SECONDS, self.deadline.left())
        return least if isinstance(order, Seed) else _ORDER_SECONDS

    def _send(self, order: Order[Any], seconds: float) -> None:
        self._under_way = _UnderWay(order, seconds, time.monotonic() + seconds)
        self._process.send(order)

    def _answer(self, under_way: _UnderWay) -> Done | Failed:
        step, until = "", under_way.until
        while True:
            last = min(until, time.monotonic() + STEP_SECONDS) if step else until
            try:
                answer = self._process.read(last)
            except TimeoutError:
                seconds = STEP_SECONDS if last < until else under_way.seconds
                raise self._out_of_time(under_way.order, seconds, step) from None
            if isinstance(answer, Done | Failed):
                return answer
            if isinstance(answer, Progress):
                step = answer.step
                self.progress(f"building the state before it: {step}")

    def _out_of_time(self, order: Order[Any], seconds: float, step: str) -> OutOfTime:
        took, text = format_seconds(seconds), "the state before the migration was not built"
        if step:
            text += f": {step} had not ended"
        elif isinstance(order, Start):
            text = "the project was not loaded"
        elif self.deadline is not None and not order.builds_state:
            budget = format_seconds(self.deadline.seconds)
            return OutOfTime(
                f"{order.doing} had not ended after {took}; its time budget is {budget}"
            )
        return OutOfTime(f"{text} after {took}")


class ServerClients:
    """The database server processes of one run, one an alias, each started when first needed."""

    def __init__(self) -> None:
        self._working: dict[str, ServerClient] = {}
        self._left: list[ServerClient] = []

    def get(self, alias: str) -> ServerClient:
        """One that works; one that died is replaced, since the next check may do better."""
        server = self._working.get(alias)
        if server is None or not server.alive:
            if server is not None:
                server.leave()
                self._left.append(server)
            server = self._working[alias] = ServerClient(alias)
        return server

    @property
    def secrets(self) -> Secrets:
        """Those of this process, and of the settings where a server process has loaded them."""
        theirs = (one for server in self._working.values() for one in server.greeting.secrets)
        return Secrets({*known_secrets().values, *theirs})

    def close(self, *, interrupted: bool = False) -> list[str]:
        """End all of them; what is left of a run that was not interrupted, and how to remove it.

        Each goes on to drop what it made even when this process does not wait for it any more.
        """
        servers = [*self._left, *self._working.values()]
        for server in servers:
            server.leave()
        for server in servers:
            server.close(_INTERRUPTED_SECONDS if interrupted else CLEANUP_SECONDS)
        left = [text for server in servers for text in server.leftovers()]
        self._working.clear()
        self._left.clear()
        return left
