"""The seeded database of one check: it grows from sample to sample, and each run gets a clone."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.sample import ForcedValues

# What a run is given in any case.
_LEAST_SECONDS = 5.0


@dataclass(frozen=True)
class Seeded:
    """``rows`` by label with all that was seeded unasked, ``widths`` in bytes by label and column.

    ``profile_mismatches`` names the columns, by label, whose width or share of NULLs is not the
    profile's, ``forced_values`` those that could be seeded as they were asked for.
    ``room`` is how many bytes the database may take, None where that isn't known.
    """

    rows: dict[str, int]
    widths: dict[str, dict[str, int]]
    seconds: float
    size: int
    room: int | None
    profile_mismatches: dict[str, list[str]] = field(default_factory=dict)
    forced_values: ForcedValues = field(default_factory=dict)


class SeededDatabase:
    """Made at the state where ``applied`` are applied.  ``tables`` maps model labels to tables,
    ``uniques`` tables to the sets of columns of which values find a single row; models that shall
    have no rows are left out of both.

    ``shape`` is what is known of production's values, as :meth:`Stage.seed` takes it.
    """

    def __init__(
        self,
        server: ServerClient,
        budget: Budget,
        applied: list[tuple[str, str]],
        shape: Mapping[str, Any] | None = None,
    ) -> None:
        self._stage = server
        self.folder = server.folder
        self.mark = server.mark
        self._budget = budget
        self._applied = applied
        self._shape = shape
        self._forced_values: ForcedValues = {}
        self._ahead: dict[str, int] | None = None
        self._answer: dict[str, Any] | None = None
        self._names: list[str] = []
        self._filled = False
        self.tables: dict[str, str] = {}
        self.uniques: dict[str, list[list[str]]] = {}
        self._bed = self._make()

    def within_deadline(self, seconds: float) -> float:
        """So many seconds, or fewer where the check has to end before."""
        deadline = self._stage.deadline
        return seconds if deadline is None else min(seconds, max(_LEAST_SECONDS, deadline.left()))

    def rows(self, size: int) -> dict[str, int]:
        """The budget's row counts at the scale where the largest of them is ``size``."""
        largest = max(self._budget.rows.values())
        return {
            label: max(1, round(count * size / largest)) if count else 0
            for label, count in self._budget.rows.items()
        }

    def fill(self, size: int, most: int | None = None) -> Seeded:
        """Seed up to ``size``, or wait for it where it is under way.

        Raises NoRoom where that takes more than ``most`` bytes, or than there is room for.
        """
        rows = self.rows(size)
        if self._ahead is None:
            if self._filled and self._budget.seed is not None:
                self._restart()
            self._order(rows, most)
        assert self._ahead == rows, "what was seeded ahead is what comes next"
        self._wait()
        answer, self._answer, self._ahead = self._answer, None, None
        assert answer is not None
        self._filled = True
        return Seeded(
            answer["seeded"],
            answer["widths"],
            answer["seconds"],
            answer["bytes"],
            answer["free"],
            answer["profile_mismatches"],
            answer["forced_values"],
        )

    def fill_ahead(self, size: int) -> None:
        """Seed up to ``size`` without waiting, while a worker runs on a clone."""
        if self._ahead is None and self._budget.seed is None:
            self._order(self.rows(size))

    def present(self) -> dict[str, Any]:
        """The tables of the state, as :meth:`Stage.tables` tells them."""
        self._wait()
        return dict(self._stage.call("tables", applied=self._applied))

    def count(self, tables: Sequence[str]) -> dict[str, int]:
        """How many rows these tables have."""
        self._wait()
        return dict(self._stage.call("count", name=self._bed, tables=list(tables)))

    def clone(self) -> str:
        name = str(self._stage.call("clone", name=self._bed))
        self._names.append(name)
        return name

    def activity(self, name: str) -> dict[str, Any]:
        """What the server counted in ``name`` after a run; empty where it keeps no count."""
        return dict(self._stage.call("activity", name=name))

    def refusals(self) -> list[str]:
        """The databases that were not opened while the state was built and seeded."""
        self._wait()
        return list(self._stage.call("refusals"))

    def digest(self, name: str) -> dict[str, str]:
        """A fingerprint of what each table of ``name`` holds."""
        return dict(self._stage.call("digest", name=name))

    def drop(self, name: str) -> None:
        self._stage.call("drop", name=name)
        self._names.remove(name)

    def force_values(self, columns: ForcedValues) -> None:
        """Begin anew, with these columns (by table) as empty as one that has just been added.

        One that comes with values holds these, in turn.
        """
        self._forced_values = columns
        self._restart()

    def close(self) -> None:
        """Drop all of it.  A stage that has ended does so itself.

        It is not waited for when this run is interrupted: it may be in the middle of something.
        """
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self._stage.leave()
        if not self._stage.alive:
            return
        self._settle()
        with contextlib.suppress(ServerError):
            for name in reversed(self._names.copy()):
                self.drop(name)

    def _settle(self) -> None:
        """Wait for what was seeded ahead and will not be needed, whether it failed or not."""
        with contextlib.suppress(ServerError):
            self._wait()
        self._ahead = self._answer = None

    def _wait(self) -> None:
        """Wait for what is seeded ahead: the stage takes one order at a time."""
        if self._ahead is not None and self._answer is None:
            try:
                self._answer = self._stage.finish()
            except BaseException:
                self._ahead = None
                raise

    def _order(self, rows: dict[str, int], most: int | None = None) -> None:
        arguments: dict[str, Any] = {
            "name": self._bed,
            "applied": self._applied,
            "rows": rows,
            "forced_values": self._forced_values,
            "seed": self._budget.seed,
            "shape": self._shape,
            "most": most,
        }
        self._stage.begin("seed", **arguments)
        self._ahead = rows

    def _restart(self) -> None:
        self._settle()
        self.drop(self._bed)
        self._filled = False
        self._bed = self._make()

    def _make(self) -> str:
        labels = [label for label, count in self._budget.rows.items() if count]
        made = self._stage.call("prepare", applied=self._applied, labels=labels)
        self.tables, self.uniques = made["tables"], made["uniques"]
        self._names.append(made["name"])
        return str(made["name"])
