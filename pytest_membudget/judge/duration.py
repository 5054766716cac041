"""How long the migration takes at production's row count, as the samples tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from pytest_membudget.judge.growth_fit import SECONDS, Growth, Point
from pytest_membudget.judge.limited_figure import ENOUGH, LimitedFigure, Wording
from pytest_membudget.judge.projection import Projection
from pytest_membudget.sample import Outcome, Sample
from pytest_membudget.units import format_duration, format_seconds

# How well a duration repeats, as a share; and on a machine that others use as well, minutes later.
# Of 483 projections from the curves in benchmarks/results, 95 % hold the truth with these.
_REPEATABILITY = 0.05
_MACHINE = 0.2
# Of growth that is linear, at least this share is there: with it no interval misses the truth more.
_LEAST_RISE = 0.5
# It may grow faster than the rows where it is longer than this, and twice as long as they tell.
_FELT_SECONDS, _FASTER = 1.0, 2
# Of fewer statements a row each is for several.
_FOR_EACH = 0.9
_STOPPED = (Outcome.TIMED_OUT, Outcome.OVER_LIMIT, Outcome.MACHINE_SHORT)


@dataclass(frozen=True)
class Duration(LimitedFigure):
    """Seconds of production, which may be faster or slower than this machine."""

    wording = Wording(
        "max_duration",
        "would take {}",
        "took {}",
        "end in time",
        "ends in time",
        format_seconds,
        format_duration,
    )
    scale = SECONDS

    @property
    def limit(self) -> float | None:
        return self.evidence.budget.max_duration

    def of_sample(self, sample: Sample) -> float | None:
        run, started = sample.run, min((one.run.startup for one in self._samples), default=0.0)
        if run.outcome in _STOPPED:
            return max(0.0, run.duration - started) / self.evidence.budget.speed
        return run.duration / self.evidence.budget.speed if sample.finished else None

    @cached_property
    def projection(self) -> Projection | None:
        """Where more samples than finished tell that it takes longer, its interval has no end."""
        rows, points = self.evidence.ladder.rows, self._points
        if rows and points and len(points) < ENOUGH:
            points = [(0.0, 0.0), *points]
        found = self._project(points, rows)
        if found is None:
            return None
        low = found.low
        if found.growth == Growth.LINEAR and len(self._points) >= ENOUGH:
            last = points[-1][1]
            low = max(low, last + _LEAST_RISE * (found.value - last))
        low *= self.least / (1 + _MACHINE)
        high = found.high * self.most * (1 + _MACHINE)
        value = found.value
        for size, seconds in self._stopped:
            # A row takes at least as long as in a sample that did not end.
            least = seconds * rows / size
            value, low = max(value, least), max(low, least / (1 + _MACHINE))
            expected = self._project(points, size)
            if expected is None or seconds > expected.high * (1 + _MACHINE):
                high = inf
        return replace(found, value=value, low=max(0.0, low), high=max(value, high))

    @property
    def _samples(self) -> Sequence[Sample]:
        """All of them: no memory has to fill up first."""
        return self.evidence.finished

    @property
    def slows_down(self) -> bool:
        """Whether the time grows faster than the rows."""
        last, found = self.evidence.finished[-1:], self.projection
        if not last or found is None or last[0].run.duration <= _FELT_SECONDS:
            return False
        proportional = self._points[-1][1] * self.evidence.ladder.rows / last[0].size
        return found.value > _FASTER * proportional

    @property
    def for_each_row(self) -> dict[str, float]:
        """The statements that are sent for each row, with how many there are for one."""
        if len(self.evidence.finished) < 2:
            return {}
        before, last = self.evidence.finished[-2:]
        more = last.size - before.size
        times = {
            text: (sent - before.run.sent.get(text, 0)) / more
            for text, sent in last.run.sent.items()
        }
        return {text: a_row for text, a_row in times.items() if a_row >= _FOR_EACH}

    @property
    def _stopped(self) -> list[Point]:
        stopped = (one for one in self.evidence.samples if one.run.outcome == Outcome.TIMED_OUT)
        return [(float(one.size), self.of_sample(one) or 0.0) for one in stopped]

    @property
    def _noise(self) -> float:
        return _REPEATABILITY * max((seconds for _, seconds in self._points), default=0.0)
