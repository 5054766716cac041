"""What the steps of an explanation take, as samples tell, and which of them there is time for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_membudget.errors import OutOfBudget
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.units import format_rows, format_seconds

# A run under memray takes about four times as long, and its capture as long again to be read.
_TRACED = 8.0
# One that is observed has each attribute of an object read by Python.
OBSERVED = 3.0
# To clone, drop and take the fingerprint of a database.
_AROUND_SECONDS = 0.5
# The share for growth by line; the rest is for the advice.
_FOR_LINES = 0.7
# Those of iterator(): with half as many rows as this they are not full, and look like growth.
_TWO_CHUNKS = 4_000


@dataclass
class TimeLeft:
    """The time until ``deadline``.  ``left_out`` names the steps that it did not suffice for."""

    evidence: Evidence
    deadline: Deadline
    left_out: list[str] = field(default_factory=list, init=False)

    def allows(self, step: str, seconds: float) -> bool:
        """Whether a step may begin that will take so long."""
        if seconds <= self.deadline.left():
            return True
        self.left_out.append(step)
        return False

    @contextmanager
    def bound(self, step: str) -> Iterator[None]:
        """Do a step, or as much of it as there is time for."""
        try:
            yield
        except OutOfBudget:
            self.left_out.append(step)

    def note_rows(self, size: int, wanted: int) -> None:
        """Note that so few rows were looked at, if that matters."""
        if size < min(wanted, _TWO_CHUNKS):
            self.left_out.append(f"runs with more than {format_rows(size)} rows")

    def allows_lines(self, size: int) -> bool:
        """Whether there is time for two runs under memray, with so many rows and half of them."""
        half = max(1, size // 2)
        traced = self.applying(half) + self.applying(size)
        last = self.evidence.samples[-1]
        seeding = sum(one.seed_seconds for one in self.evidence.samples) * size / last.size
        seconds = _TRACED * traced + seeding + 2 * self._around()
        return seconds <= _FOR_LINES * self.deadline.left()

    def run(self, size: int, times: float = 1.0) -> float:
        """The seconds of a run in which the migration takes so many times as long."""
        return times * self.applying(size) + self._around()

    def applying(self, size: int) -> float:
        """The seconds in which the migration is applied to so many rows."""
        samples = sorted(self.evidence.samples, key=lambda one: one.size)
        known = next((one for one in samples if one.size >= size), samples[-1])
        return known.run.duration * size / known.size

    def note(self) -> str:
        """What was left out, and how to get it; empty if nothing was."""
        if not self.left_out:
            return ""
        *others, last = dict.fromkeys(self.left_out)
        steps = f"{', '.join(others)} and {last}" if others else last
        label = ".".join(self.evidence.budget.migrations[0])
        return (
            f"the time budget of {format_seconds(self.deadline.seconds)} left no time for {steps}; "
            f"run `membudget explain FILE {label}` with the JSON file of this run, or raise the "
            "time budget"
        )

    def _around(self) -> float:
        return min(one.run.startup for one in self.evidence.samples) + _AROUND_SECONDS
