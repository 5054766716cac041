"""Runs of the migration that are apart from those that are measured for the verdict."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_membudget.attribution.growth import HighWater, high_water
from pytest_membudget.attribution.time_left import TimeLeft
from pytest_membudget.database.fingerprint import Fingerprint, varying
from pytest_membudget.errors import MembudgetError, OutOfBudget
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.processes.messages.job import Probes
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.outcome import Launch
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.units import MIB, format_rows

# More rows than these are not looked at where a run takes longer than so many seconds.
# Pages and chunks of some thousand rows have to be full, so a sample of few rows may take longer;
# and a changed run, with SQLite's whole page cache of 2 MiB, is held against a measured one.
_LEAST_ROWS = 8_000
_LONGEST_SECONDS = {_LEAST_ROWS: 6.0, 50_000: 2.5, 100_000: 1.5, sys.maxsize: 0.0}
_LONGEST_TRIAL = 10.0
# Where there is no time for more, so many tell which lines grow.
_FEWEST_ROWS = 500
# Beside what was measured: memray's own, which also keeps a table of every live block.
_ROOM = 4
_SPARE_BYTES = 1024 * MIB


class Unfinished(MembudgetError):
    """A run did not end well; the message says how."""


@dataclass
class SameData:
    """What a run leaves behind, ``first``, and the columns that differ when it is repeated.

    Those hold ``uuid4()``, ``now()`` and the like.
    """

    first: Fingerprint
    _varying: set[tuple[str, str]] | None = field(default=None, init=False)

    def as_in(self, other: Fingerprint, repeat: Callable[[], Fingerprint]) -> bool:
        """Whether ``other`` differs in no other column; ``repeat`` is called once, where needed."""
        found = varying(self.first, other)
        if found and self._varying is None:
            self._varying = varying(self.first, repeat())
        return not found - (self._varying or set())


@dataclass
class Runs:
    """Further runs at row counts that were measured, on a database that grows with them.

    ``files`` are those of the migrations; ``job`` makes what the worker has to do on a clone.
    Each run ends with the ``time`` that is left.
    """

    evidence: Evidence
    seeded: SeededDatabase
    files: Sequence[str]
    job: Callable[..., Launch]
    time: TimeLeft
    _filled: int = field(default=0, init=False)
    _widths: dict[str, dict[str, int]] = field(default_factory=dict, init=False)

    @property
    def folders(self) -> list[str]:
        """Those of the migrations' apps."""
        return sorted({str(Path(file).parent.parent) for file in self.files})

    def size(self) -> int:
        """How many rows to look at: many but quick, and as few as there is time for.

        More than any sample if few pass the limit.  Raises OutOfBudget where there is no time.
        """
        size = wanted = self._wanted()
        while size > _FEWEST_ROWS and not self.time.allows_lines(size):
            size = max(_FEWEST_ROWS, size // 2)
        if not self.time.allows_lines(size):
            raise OutOfBudget("no time is left for two runs")
        self.time.note_rows(size, wanted)
        return size

    def _wanted(self) -> int:
        samples = self.evidence.samples
        quick = [one for one in samples if one.run.duration <= _longest(one.size)]
        if not quick:
            return min(one.size for one in samples)
        last = next(reversed([one for one in quick if one.finished] or quick))
        size, most = last.size, self.evidence.ladder.rows
        while size < _LEAST_ROWS and 2 * size <= most:
            if last.run.duration * (2 * size / last.size) ** 2 > _longest(2 * size):
                break
            size *= 2
        return size

    def sample(self, size: int) -> Sample:
        """The sample of this size, measured now where there is none."""
        for sample in self.evidence.finished:
            if sample.size == size:
                return sample
        done, _ = self.run(size)
        return Sample(self.seeded.rows(size), done, widths=self._widths)

    def larger_sample(self, sample: Sample) -> Sample:
        """The sample that a change is held against: with few rows its chunk may not be full."""
        longest = min(_LONGEST_TRIAL, self.time.deadline.left())
        larger = [one for one in self.evidence.finished if one.size > sample.size]
        return [sample, *(one for one in larger if self.time.run(one.size) <= longest)][-1]

    def start_anew(self) -> None:
        self.seeded.force_values(self.evidence.forced_values, self.evidence.shares)
        self._filled = 0

    def captured(self, size: int) -> HighWater:
        """What is alive at the heap's high-water mark."""
        with tempfile.TemporaryDirectory(dir=self.seeded.folder) as folder:
            capture = str(Path(folder, "capture"))
            self.run(size, capture=capture)
            return high_water(capture)

    def run(self, size: int, *, digest: bool = False, **probes: Any) -> tuple[Run, Fingerprint]:
        """A run with these Probes, and a fingerprint of the data if asked.

        Raises Unfinished, or OutOfBudget where the time has ended.
        """
        if size != self._filled:
            self._widths = self.seeded.fill(size).widths
            self._filled = size
        left = self.time.deadline.left()
        if left <= 0:
            raise OutOfBudget("no time is left for a run")
        peak = max(sample.run.peak for sample in self.evidence.samples)
        with self.seeded.cloned() as name:
            job = self.job(self.seeded, name, deadline=left, stop_above=_ROOM * peak + _SPARE_BYTES)
            done = self.seeded.run(replace(job, probes=Probes(folders=self.folders, **probes)))
            if done.outcome == Outcome.TIMED_OUT:
                raise OutOfBudget(done.failure)
            if done.outcome != Outcome.FINISHED:
                raise Unfinished(f"with {format_rows(size)} rows {done.failure}")
            return done, self.seeded.fingerprint(name) if digest else {}


def _longest(size: int) -> float:
    return next(seconds for rows, seconds in _LONGEST_SECONDS.items() if size <= rows)
