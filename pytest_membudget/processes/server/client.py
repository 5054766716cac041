"""Orders to database server processes: one at a time each, waited for or not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from pytest_membudget.errors import NoRoom, OutOfBudget, OutOfTime, ServerError
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.embedded.client import NOT_EMBEDDED, EmbeddedServer
from pytest_membudget.processes.messages.job import Key
from pytest_membudget.processes.messages.orders import A, ListTables, Order, Prepare, Seed, Weigh
from pytest_membudget.processes.messages.server import Done, Failed, Progress, Start, answer_of
from pytest_membudget.processes.server.process import CLEANUP_SECONDS, ServerProcess
from pytest_membudget.processes.stopwatch import Stopwatch
from pytest_membudget.processes.worker.workers import Workers
from pytest_membudget.project.secrets import Secrets, known_secrets
from pytest_membudget.project.settings import is_on_postgresql
from pytest_membudget.units import format_seconds

# Building a state walks through all migrations before it; one of them takes seconds at most.
STATE_SECONDS = 900.0
STEP_SECONDS = 120.0
# The least that is given to a seed; to clone, and to drop.
LEAST_SECONDS = 5.0
_ORDER_SECONDS = 60.0
_INTERRUPTED_SECONDS = 0.5
_HELD_UP_SECONDS = 5.0


# The states that were not built in time, and what was said of each.
Late = list[tuple[frozenset[Key], str]]


@dataclass
class Pending(Generic[A]):
    """An order that has been sent; it may take ``seconds``, which are over at ``until``.

    ``wait`` waits for the end of the order and sets ``end``.
    """

    order: Order[A]
    seconds: float
    until: float
    wait: Callable[[], None]
    end: Done | Failed | ServerError | None = None

    def answer(self) -> A:
        """Wait for the answer.  Raises ServerError where there is none."""
        if self.end is None:
            self.wait()
        if isinstance(self.end, Done):
            return answer_of(self.end, self.order)
        if isinstance(self.end, Failed):
            kind = NoRoom if self.end.no_room else ServerError
            raise kind(self.end.text, self.end.details)
        raise self.end or ServerError("the run was interrupted")


class ServerClient(ServerProcess):
    """Starts a database server process and gives it orders.

    A seed is bound to ``deadline``, the check's, and building a state to ``STATE_SECONDS``, of
    which one migration may take ``STEP_SECONDS``; OutOfTime is raised where an order takes longer.
    ``progress`` is called with each migration that is applied to build a state, and ``stopwatch``
    counts the seconds that are waited.  ``embedded`` is that of a Target, ``cache`` that of Start.
    A state that contains one of ``late`` is not built.
    """

    def __init__(
        self,
        alias: str,
        embedded: Mapping[str, str] = NOT_EMBEDDED,
        cache: str = "",
        late: Late | None = None,
    ) -> None:
        super().__init__(alias, embedded)
        self.alias = alias
        self.embedded = embedded
        self.workers: Workers | None = None
        self.deadline: Deadline | None = None
        self.progress: Callable[[str], None] = lambda text: None
        self.stopwatch = Stopwatch()
        # A statement that could not be ended: no database of the server can be dropped until it is.
        self.is_held_up = False
        self._late = [] if late is None else late
        # The peak of a worker that applies nothing, and its number of models; see schema_only.py.
        self.idle: tuple[int, int] | None = None
        self._pending: Pending[Any] | None = None
        self._error: ServerError | None = None
        try:
            self.greeting = self.begin(Start(alias, dict(embedded), cache)).answer()
            self.workers = Workers(alias, self.greeting, embedded)
        except BaseException:
            self.close(_INTERRUPTED_SECONDS)
            raise

    @contextlib.contextmanager
    def bound_to(
        self, deadline: Deadline, progress: Callable[[str], None], stopwatch: Stopwatch
    ) -> Iterator[None]:
        """Work for one check; orders after it have no part in its deadline."""
        self.deadline, self.progress, self.stopwatch = deadline, progress, stopwatch
        try:
            yield
        finally:
            self.deadline, self.progress, self.stopwatch = None, lambda text: None, Stopwatch()

    def leave(self) -> None:
        if self.workers is not None:
            self.workers.close()
        super().leave()

    def call(self, order: Order[A]) -> A:
        """Give an order and wait for its answer.  Raises ServerError where there is none."""
        self._wait()
        paused = self.deadline.paused() if self.deadline and order.builds_state else None
        with paused or contextlib.nullcontext():
            return self.begin(order).answer()

    def begin(self, order: Order[A]) -> Pending[A]:
        """Give an order without waiting for its answer; the next order waits for its end."""
        self._wait()
        state = _state_of(order)
        for built, text in self._late:
            if state is not None and built <= state:
                raise OutOfTime(text)
        if self.closed:
            raise self._error or ServerError("the database server process has ended")
        seconds = self._seconds(order)
        self._pending = Pending(order, seconds, time.monotonic() + seconds, self._wait)
        self.send(order)
        return self._pending

    def _seconds(self, order: Order[Any]) -> float:
        if isinstance(order, Start):
            return STEP_SECONDS
        if order.builds_state or self.deadline is None:
            return STATE_SECONDS
        least = max(LEAST_SECONDS, self.deadline.left())
        return least if isinstance(order, Seed) else _ORDER_SECONDS

    def _wait(self) -> None:
        """Wait for the end of the order under way: the process carries out one at a time."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        try:
            with self.stopwatch.of(pending.order.part):
                pending.end = self._end(pending)
        except BaseException as error:
            # The next order would get its answer.
            self.leave()
            if not isinstance(error, ServerError):
                raise
            self._error = pending.end = error
            state = _state_of(pending.order)
            if state is not None and isinstance(error, OutOfTime):
                self._late.append((state, str(error)))

    def _end(self, pending: Pending[Any]) -> Done | Failed:
        step, until = "", pending.until
        while True:
            last = min(until, time.monotonic() + STEP_SECONDS) if step else until
            try:
                answer = self.read(last)
            except TimeoutError:
                seconds = STEP_SECONDS if last < until else pending.seconds
                raise self._out_of_time(pending.order, format_seconds(seconds), step) from None
            if isinstance(answer, Done | Failed):
                return answer
            if isinstance(answer, Progress):
                step = answer.step
                self.progress(f"building the state before the migration: {step}")

    def _out_of_time(self, order: Order[Any], took: str, step: str) -> OutOfTime:
        if isinstance(order, Start):
            return OutOfTime(f"the project was not loaded within {took}")
        if order.builds_state:
            late = f": {step} did not finish" if step else ""
            return OutOfTime(f"the state before the migration was not built{late} within {took}")
        text = f"{order.doing} did not finish within {took}"
        if self.deadline is not None:
            text += f"; the time budget is {format_seconds(self.deadline.seconds)}"
            return OutOfBudget(text)
        return OutOfTime(text)


def _state_of(order: Order[Any]) -> frozenset[Key] | None:
    """The migrations of the state that an order may build; None where it builds none."""
    return frozenset(order.applied) if isinstance(order, Prepare | Weigh | ListTables) else None


class ServerClients:
    """The database server processes of one run, one an alias, each started when first needed.

    With ``embedded``, all PostgreSQL databases are on that server of the run's own.  ``cache`` is
    that of Start.
    """

    def __init__(self, embedded: EmbeddedServer | None = None, cache: str = "") -> None:
        self._embedded = embedded
        self._cache = cache
        self._late: dict[str, Late] = {}
        self._servers: list[ServerClient] = []

    def get(self, alias: str) -> ServerClient:
        """The process of an alias; one that has ended is replaced for the next check."""
        embedded = NOT_EMBEDDED
        if self._embedded is not None and is_on_postgresql(alias):
            embedded = self._embedded.settings()
        for server in self._servers:
            if server.alias == alias and server.embedded == embedded and server.alive:
                return server
        late = self._late.setdefault(alias, [])
        self._servers.append(ServerClient(alias, embedded, self._cache, late))
        return self._servers[-1]

    @property
    def secrets(self) -> Secrets:
        """Those of this process, and of the settings where a server process has loaded them."""
        theirs = (one for server in self._servers for one in server.greeting.secrets)
        return Secrets({*known_secrets().values, *theirs})

    @property
    def waiting_for_disk(self) -> list[str]:
        """The aliases whose server waits for its disk."""
        return sorted({one.alias for one in self._servers if one.greeting.waits_for_disk})

    def close(self, *, interrupted: bool = False) -> list[str]:
        """End all of them; what is left of a run that was not interrupted, and how to remove it.

        Each drops what it made even when this process does not wait for it any more.
        """
        servers, self._servers = self._servers, []
        for server in servers:
            server.leave()
        seconds = _INTERRUPTED_SECONDS if interrupted else CLEANUP_SECONDS
        for server in servers:
            server.close(min(seconds, _HELD_UP_SECONDS) if server.is_held_up else seconds)
        if self._embedded is not None:
            self._embedded.close(seconds)
        return [text for server in servers for text in server.leftovers()]
