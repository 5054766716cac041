"""The seeded database of one check: it grows from sample to sample, and each run gets a clone."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.database.scratch.activity import Activity
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.messages.job import Key
from pytest_membudget.processes.messages.orders import (
    Clone,
    Count,
    Drop,
    EndSessions,
    FindColumns,
    Fingerprint,
    ListRefusals,
    ListTables,
    Prepare,
    ReadActivity,
    Seed,
    Seeded,
    StateTables,
    Take,
    Taken,
)
from pytest_membudget.processes.server.client import Pending, ServerClient
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.processes.worker.outcome import Launch
from pytest_membudget.profile.production import StatsByColumn
from pytest_membudget.sample import ForcedValues, Outcome, Run, Shares
from pytest_membudget.sample.lesson import Lesson

# What a run is given in any case.
_LEAST_SECONDS = 5.0
_BY_ITSELF = Outcome.FINISHED, Outcome.RAISED


class SeededDatabase:
    """A database at the state where ``applied`` are applied.

    ``tables`` maps model labels to tables, ``uniques`` tables to the sets of columns whose values
    find a single row; both leave out models that have no rows in the budget.  ``shape`` is what is
    known of production's values, the ``profile`` of Seed, ``lessons`` is what earlier runs taught.
    """

    def __init__(
        self,
        server: ServerClient,
        budget: Budget,
        applied: list[Key],
        shape: StatsByColumn | None = None,
        lessons: Sequence[Lesson] = (),
    ) -> None:
        self.folder = server.greeting.folder
        self.mark = server.greeting.mark
        self.password = server.greeting.password
        self.vendor = server.greeting.vendor
        self.embedded = server.embedded
        self.workers = server.workers
        self._server = server
        self._budget = budget
        self._applied = applied
        self._shape = shape
        self._lessons = lessons
        self._forced_values: ForcedValues = {}
        self._shares: Shares = {}
        self._ahead: tuple[int, Pending[Seeded]] | None = None
        self._filled = 0
        self._taken = False
        self._names: list[str] = []
        self._make()

    def within_deadline(self, seconds: float) -> float:
        """So many seconds, or fewer where the check has to end before."""
        deadline = self._server.deadline
        return seconds if deadline is None else min(seconds, max(_LEAST_SECONDS, deadline.left()))

    def rows(self, size: int) -> dict[str, int]:
        """The budget's row counts at the scale where the largest of them is ``size``."""
        largest = max(self._budget.rows.values())
        return {
            label: max(1, round(count * size / largest)) if count else 0
            for label, count in self._budget.rows.items()
        }

    def fill(self, size: int, most: int | None = None) -> Seeded:
        """Seed up to ``size``, or wait for that where it has begun.

        With fewer rows than it has it begins anew.  Raises NoRoom where that takes more than
        ``most`` bytes, or than there is room for.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == size:
            return ahead[1].answer()
        if self._taken or self._filled > size or (self._filled and self._budget.seeds_anew):
            self._restart()
        return self._begin(size, most).answer()

    def fill_ahead(self, size: int) -> None:
        """Seed up to the ``size`` of the next sample while a worker runs on a clone."""
        if self._ahead is None and not self._budget.seeds_anew:
            self._ahead = size, self._begin(size)

    def present(self) -> StateTables:
        """The tables of the state."""
        return self._server.call(ListTables(self._applied))

    def count(self, tables: Sequence[str]) -> dict[str, int]:
        """How many rows these tables have."""
        return self._server.call(Count(self._intact(), list(tables)))

    def clone(self) -> str:
        name = self._server.call(Clone(self._intact()))
        self._names.append(name)
        return name

    @contextlib.contextmanager
    def cloned(self) -> Iterator[str]:
        """The name of a clone, which is dropped afterwards."""
        name = self.clone()
        try:
            yield name
        finally:
            self.drop(name)

    def take(self) -> Taken:
        """The database itself, for a run that is the last: no clone has to be made and dropped.

        A migration that failed may have changed any of it, also if that was rolled back, as the
        values of sequences are not.  So what needs its rows afterwards has them seeded again.
        """
        taken = self._server.call(Take(self._intact()))
        if taken.name == self._name:
            self._taken = True
        else:
            self._names.append(taken.name)
        return taken

    def run(self, launch: Launch) -> Run:
        """Apply the migration; a statement of a process that was killed is ended on the server.

        This comes after the process: one whose statement was cancelled may send the next one.
        """
        done = run(launch)
        if done.outcome in _BY_ITSELF or self._server.call(EndSessions(launch.name)):
            return done
        self._server.is_held_up = True
        return replace(done, facts=replace(done.facts, held_up=True))

    def columns_holding(self, value: Any) -> list[tuple[str, str]]:
        """The columns, by table, in which generated rows hold a value; see FindColumns."""
        return self._server.call(FindColumns(self._intact(), value))

    def activity(self, name: str) -> Activity | None:
        """The server's statistics of ``name`` after a run; None where there are none."""
        return self._server.call(ReadActivity(name))

    def refusals(self) -> list[str]:
        """The databases that were not opened while the state was built and seeded."""
        return self._server.call(ListRefusals())

    def fingerprint(self, name: str) -> dict[str, dict[str, str]]:
        """A fingerprint of what each column of ``name`` holds, by table."""
        return self._server.call(Fingerprint(name))

    def drop(self, name: str) -> None:
        self._server.call(Drop(name))
        self._names.remove(name)

    def force_values(self, columns: ForcedValues, shares: Shares | None = None) -> None:
        """Begin anew, with these columns by table seeded with their values: in turn, or each in its
        share of the rows.

        A column without values is seeded as if it had just been added.
        """
        self._forced_values, self._shares = columns, shares or {}
        if self._filled:
            self._restart()

    def close(self) -> None:
        """Drop all of it.  A database server process that has ended does so itself.

        It is not waited for when this run is interrupted: it may be in the middle of something.
        """
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self._server.leave()
        if self._server.alive:
            with contextlib.suppress(ServerError):
                for name in reversed(self._names.copy()):
                    self.drop(name)

    def _begin(self, size: int, most: int | None = None) -> Pending[Seeded]:
        self._filled = size
        return self._server.begin(
            Seed(
                name=self._name,
                applied=self._applied,
                rows=self.rows(size),
                largest=self._budget.largest,
                forced_values=self._forced_values,
                shares=self._shares,
                seed=self._budget.seed,
                grow=self._budget.grow,
                rows_file=self._budget.rows_file,
                profile=self._shape,
                lessons=list(self._lessons),
                most=most,
            )
        )

    def _intact(self) -> str:
        """Its name, once the rows that a run has used up are there again."""
        if self._taken:
            size = self._filled
            self._restart()
            if size:
                self._begin(size).answer()
        return self._name

    def _restart(self) -> None:
        self._ahead, self._filled, self._taken = None, 0, False
        self.drop(self._name)
        self._make()

    def _make(self) -> None:
        labels = [label for label, count in self._budget.rows.items() if count]
        made = self._server.call(Prepare(self._applied, labels))
        self.tables, self.uniques = made.tables, made.uniques
        self._name = made.name
        self._names.append(made.name)
