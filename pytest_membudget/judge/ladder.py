"""Which row count next, and when to stop: measure when you can, extrapolate when you must.

Sizes are production's row count over powers of two.  A first small sample tells the time a row
and whether the migration works at all; the climb starts above the floor that every process has.
Where a sample is too slow, or larger ones are, smaller ones are taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_membudget.judge import pace
from pytest_membudget.judge.growth_fit import FLOOR_ROWS
from pytest_membudget.sample import Sample, finished

_PROBE_ROWS = 2_000
_START_ROWS = 2 * FLOOR_ROWS
# The chunks, pages and buffers that people write are smaller than this.
_FAR_ROWS = 100_000
_NEEDED = 3
# Shares of the time budget for what only makes the figure better, once the verdict is there.
_PATIENCE = 0.25
_PATIENCE_WHILE_WIDE = 0.4
_QUICK = 0.15
_SHARE = 0.8
_BEYOND = 1.15
# The share of the time budget that is kept for an explanation, once it will have to be given.
_EXPLAINING = 0.2
# The share of the time that is left which a sample may take before there are enough.
_FIRST_SHARE = 0.6
# How many times fewer rows follow a first sample that did not end; from there it may climb again.
_FAR_BELOW = 64
# In less than this after its start a process does little; and the machine may be busier than then.
_LEAST_SECONDS = 4.0
_STARTED = 1.2
# Samples of fewer rows tell nothing.
_FEWEST = 8


@dataclass(frozen=True)
class Outlook:
    """What the samples so far say about those to come.

    ``decided`` says that they give a verdict, ``narrow`` that their interval is, ``exceeds`` that
    the verdict is the one that needs no samples of more rows than a chunk or a buffer has.
    ``crossing`` is at how many rows the limit is expected to be passed or the migration to break,
    ``past`` how many the next sample should have more than, as the code tells.
    """

    decided: bool
    narrow: bool
    exceeds: bool
    crossing: float | None = None
    past: int | None = None


@dataclass(frozen=True)
class Ladder:
    """The rungs for ``rows``, production's row count, within ``time_budget`` seconds.

    ``startup`` are those in which a process starts, as far as that is known before the first one,
    and ``before`` those that are spent by then.  ``explains`` says that a failure is explained.
    """

    rows: int
    time_budget: float
    startup: float = 0.0
    before: float = 0.0
    explains: bool = False

    def for_samples(self, outlook: Outlook | None) -> float:
        """The seconds for samples.

        All of the time budget, until the verdict is there and has to be explained: samples after
        that tell how much it exceeds, or whether a buffer ends the growth that no number names.
        """
        failed = outlook is not None and outlook.decided and outlook.exceeds
        return self.time_budget * (1 - _EXPLAINING if failed and self.explains else 1)

    def has_time(self, left: float) -> bool:
        """Whether the migration would begin in the seconds that are left."""
        return left > _STARTED * self.startup

    def first(self) -> int:
        if self.rows <= _START_ROWS:
            return self._rung(2) if self.rows >= 16 else self.rows
        return self._rung(self._exponent(_PROBE_ROWS))

    def half(self, size: int) -> int:
        """The rung below ``size``."""
        return self._rung(round(math.log2(self.rows / size)) + 1)

    def climb(self, finished: Sequence[Sample]) -> Sequence[Sample]:
        """The samples to project from: the smallest one only while there are too few others."""
        return finished[1:] if len(finished) > _NEEDED else finished

    def deadline(self, finished: Sequence[Sample], left: float) -> float:
        """How many of the ``left`` seconds the next sample may take.

        What is kept lets smaller ones follow where it does not end.
        """
        if len(finished) >= _NEEDED or left < _LEAST_SECONDS + self.startup:
            return left
        if not finished:
            return left if self._far_below(self.first()) is None else left * _FIRST_SHARE
        first = finished[0]
        return max(left - 2 * pace.seconds_below(first, first.size / 2), left * _FIRST_SHARE)

    def sure(self, samples: Sequence[Sample], size: int) -> int | None:
        """The size that will follow ``size`` whatever it shows; None where it depends on it."""
        if self.rows <= _START_ROWS or not samples or len(samples) >= _NEEDED:
            return None
        if not samples[-1].finished or size < samples[-1].size:
            return None
        return self._double(size)

    def next(
        self,
        samples: Sequence[Sample],
        spent: float,
        outlook: Outlook,
        largest: float = math.inf,
    ) -> int | None:
        """The next size, or None to stop.

        ``spent`` are the seconds so far, ``largest`` is how many rows there is room for.
        """
        done = finished(samples)
        stopped = min((one.size for one in samples if not one.finished), default=math.inf)
        if not done:
            left = self.time_budget - spent
            return None if left < _LEAST_SECONDS + self.startup else self._far_below(stopped)
        above = self._above(done, spent, outlook, min(largest, stopped - 1))
        if above is not None or outlook.decided or len(done) >= _NEEDED:
            return above
        first, left = done[0], (self.time_budget - spent) * _SHARE
        if first.size <= _FEWEST or pace.seconds_below(first, first.size / 2) > left:
            return None
        return self.half(first.size)

    def _above(
        self, samples: Sequence[Sample], spent: float, outlook: Outlook, largest: float
    ) -> int | None:
        narrow, exceeds, past = outlook.narrow, outlook.exceeds, outlook.past
        crossing = outlook.crossing
        last = samples[-1].size
        if last >= self.rows:
            return None
        left = (self.for_samples(outlook) - spent) * _SHARE
        patience = self.time_budget * (_PATIENCE if narrow else _PATIENCE_WHILE_WIDE) - spent
        if len(samples) == 1 and self.rows > _START_ROWS:
            return self._start(samples, left, largest)
        # Where the floor is most of the peak, a sample in between would tell nothing.
        few = self.rows <= min(FLOOR_ROWS, largest)
        if len(samples) == 1 and few and pace.seconds(samples, self.rows) <= left:
            return self.rows
        following = self._double(last)
        beyond = following if past is None else max(following, self.above(past))
        # Growth that is projected to fail may be a buffer's, which ends before so many rows.
        unseen = exceeds and last < _FAR_ROWS
        if past is not None:
            unseen |= pace.seconds(samples, beyond) <= left
        allowed = left if unseen or not outlook.decided else min(left, patience)

        def affordable(size: int) -> bool:
            return size <= largest and pace.seconds(samples, size) <= allowed

        if self.rows > _START_ROWS and len(samples) > _NEEDED:
            if exceeds and narrow and last >= _FAR_ROWS:
                return None
            fails = crossing is not None and crossing < self.rows
            goal = self._at_least(_BEYOND * crossing) if crossing is not None else self.rows
            # One step at a time to where it fails: each tells by how much it will.
            if goal > last and (narrow or not fails) and not exceeds and affordable(goal):
                return goal
            if affordable(beyond) and self._steps(samples, beyond) > allowed:
                return beyond
        return following if affordable(following) else None

    def _far_below(self, size: float) -> int | None:
        smaller = int(size / _FAR_BELOW)
        return self._rung(self._exponent(smaller)) if smaller >= _FEWEST else None

    def _steps(self, samples: Sequence[Sample], size: int) -> float:
        """How long it will take to double from the last sample up to ``size``."""
        seconds, following = 0.0, samples[-1].size
        while following < size:
            following = self._double(following)
            seconds += pace.seconds(samples, following)
        return seconds

    def above(self, size: int) -> int:
        """The least rung of more rows than ``size``."""
        return self._at_least(size + 1)

    def budget_for(self, samples: Sequence[Sample], size: int) -> int:
        """The seconds of a time budget that would allow a sample of ``size`` rows after these."""
        taken = sum(one.run.startup + one.run.duration + one.seed_seconds for one in samples)
        needed = self.before + (taken + pace.seconds(samples, size)) / _SHARE
        # Samples that were replaced, or a busy machine, took what is not accounted for.
        return math.ceil(max(needed, _BEYOND * self.time_budget) / 10) * 10

    def _start(self, samples: Sequence[Sample], left: float, largest: float) -> int | None:
        """The size of the second sample, from which two more follow, each twice the one before.

        The larger it is, the less the floor and the noise of a peak matter, so it grows while all
        three are quick.  Where a sample takes noticeable time, that may grow faster than the rows,
        so the first step is small, and smaller still where little time is left.
        """
        start = self._rung(self._exponent(_START_ROWS))

        def three_from(size: int) -> float:
            return 7 * pace.seconds(samples, size) - 4 * samples[-1].run.startup

        if samples[-1].run.duration > pace.FELT_SECONDS:
            start = min(start, self._double(self._double(samples[-1].size)))
        else:
            while (
                8 * start <= self.rows
                and 7 * pace.seconds(samples, 2 * start) <= _QUICK * self.time_budget
            ):
                start = self._double(start)
        while start > 2 * samples[-1].size and (three_from(start) > left or 4 * start > largest):
            start = self.half(start)
        return start if start <= largest and pace.seconds(samples, start) <= left else None

    def _exponent(self, most: int) -> int:
        return max(0, math.ceil(math.log2(self.rows / most)))

    def _rung(self, exponent: int) -> int:
        return -(-self.rows // (1 << exponent))

    def _double(self, size: int) -> int:
        return self._rung(max(0, round(math.log2(self.rows / size)) - 1))

    def _at_least(self, size: float) -> int:
        exponent = max(0, math.floor(math.log2(self.rows / size))) if size < self.rows else 0
        return self._rung(exponent)
