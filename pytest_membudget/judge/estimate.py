"""What the samples say about the peak at production's row count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pytest_membudget.judge.curves import (
    curves,
    curves_by_migration,
    cycles_add_up,
    most_elsewhere,
    noise_of,
)
from pytest_membudget.judge.duration import Duration
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.growth_fit import FLOOR_BYTES, HIDDEN, VISIBLE, Growth, Point
from pytest_membudget.judge.kept import kept_bytes
from pytest_membudget.judge.limited_figure import LimitedFigure, limited
from pytest_membudget.judge.projection import Projection, fits_up_to, project_highest
from pytest_membudget.judge.server_memory import ServerMemory
from pytest_membudget.judge.touched import Touched
from pytest_membudget.sample import Sample
from pytest_membudget.units import MIB

_ENOUGH = 3
# By how many times what is above the peak in its interval the limit is farther away.
_FAR = 2
_NARROW_SHARE = 0.05
_NARROW_BYTES = 4 * MIB
_TELLING_SHARE = 0.25


@dataclass(frozen=True)
class Estimate:
    """What the samples of ``evidence`` say.  Row counts are of the largest model.

    ``touched`` and ``is_known`` are the ``share`` and ``is_known`` of Touched.
    """

    evidence: Evidence
    touched: float | None = None
    is_known: bool = False

    @cached_property
    def projection(self) -> Projection | None:
        """To production's row count; None where the samples do not suffice.

        The interval reaches up to where every seeded row would be touched, or as many as production
        may have, and down to as few as it may have.
        """
        found = self._of_samples
        if found is None:
            return None
        base, rows = self._baseline, self._rows
        low, high = (
            base + (end - base) * times
            for end, times in ((found.low, rows.least), (found.high, rows.most))
        )
        return replace(found, low=min(found.low, low), high=max(found.high, high))

    @cached_property
    def _rows(self) -> Touched:
        return Touched(self.evidence, self.touched, self.is_known)

    @cached_property
    def _of_samples(self) -> Projection | None:
        """If production's rows are as those of the samples."""
        rows, noise = self.evidence.ladder.rows, self._noise
        projection = project_highest(self._curves, rows, noise, self._grain)
        seen = max((sample.run.peak for sample in self.evidence.samples), default=0)
        if self._is_flat and not (projection and projection.measured):
            hidden = HIDDEN / self.evidence.finished[-1].size * rows
            high = seen + max(FLOOR_BYTES, hidden) + 2 * noise
            return Projection(seen, seen - 2 * noise, high, 0.0, Growth.CONSTANT, measured=False)
        if projection is None:
            return None
        spread = projection.half_width if projection.measured else 2 * noise
        least = min(seen, projection.value) - spread
        low = max(projection.low, least)
        if self._kept is not None:
            kept = least + self._kept * max(0, rows - self.evidence.finished[-1].size)
            low = max(low, min(projection.value, kept))
        if self.threshold_ahead is not None:
            bounded = project_highest(self._curves, self.threshold_ahead, noise)
            low = min(low, bounded.low if bounded else 0)
        if self.cycles_add_up:
            low = min(low, seen - spread)
        elsewhere = max(seen, most_elsewhere(self._climbed, rows) + 2 * noise)
        high = max(projection.high, seen + spread if projection.measured else elsewhere)
        return replace(
            projection,
            low=low,
            value=max(projection.value, seen),
            high=high,
        )

    @cached_property
    def duration(self) -> Duration:
        return Duration(self.evidence, self._rows.least, self._rows.most)

    @cached_property
    def server_memory(self) -> ServerMemory:
        return ServerMemory(self.evidence, self._rows.least, self._rows.most)

    @property
    def limited(self) -> list[LimitedFigure]:
        """The figures beside the peak that have a limit."""
        return limited(self.duration, self.server_memory)

    @cached_property
    def enough(self) -> bool:
        """Whether there are enough samples to trust the projection.

        Two are where the limit is far above its interval, or where they and the dry run before them
        show no growth.
        """
        if self.projection is None or self.projection.measured:
            return self.projection is not None
        enough = len(self._climbed) >= _ENOUGH or self._fits_by_far(self.projection)
        return (enough or self._is_flat or self._is_flat_from_few) and not self._is_refuted()

    @property
    def sure_of_samples(self) -> bool:
        """Whether rows like those of the samples would leave no doubt."""
        found, limit = self._of_samples, self.evidence.budget.limit
        return found is not None and not found.low <= limit <= found.high

    @property
    def telling(self) -> bool:
        """Whether the projection alone says that the limit is passed, and by how much."""
        projection = self.projection
        if projection is None or projection.measured:
            return projection is not None
        sharp = projection.half_width <= _TELLING_SHARE * projection.value
        return sharp and projection.low > self.evidence.budget.limit and self.enough

    @property
    def narrow(self) -> bool:
        """Whether more rows would tell little more."""
        projection = self._of_samples
        if projection is None:
            return False
        widest = max(_NARROW_SHARE * projection.value, _NARROW_BYTES)
        return projection.half_width <= widest

    @cached_property
    def limit_passed_at(self) -> float | None:
        """With how many rows; None where it is unknown, or where a sample says otherwise."""
        samples, limit = self.evidence.samples, self.evidence.budget.limit
        over = [sample for sample in samples if sample.run.peak > limit]
        if over and over[0] is samples[0]:
            return 0.0 if over[0].size <= self.evidence.ladder.first() else None
        fits = fits_up_to(self._curves, self.evidence.ladder.rows, limit, self._noise)
        return None if over and fits is not None and fits >= over[0].size else fits

    @property
    def fits(self) -> int | None:
        """How many rows of the counted model fit; None where it is unknown or there is no end."""
        return self.evidence.budget.to_counted(self.limit_passed_at)

    @property
    def past(self) -> int | None:
        """How many rows the next sample should have more than, as the code tells."""
        evidence = self.evidence
        past = evidence.ahead.past([*evidence.thresholds, *evidence.branches])
        if past is None and self._grain and not self.narrow:
            return evidence.finished[-1].size
        return past

    @property
    def larger(self) -> tuple[int, int] | None:
        """Rows of the counted model in a sample that would tell more, and a time budget for it.

        None where time is not what such a sample lacks.
        """
        return None if self.enough and self.sure_of_samples else self.next_larger

    @property
    def next_larger(self) -> tuple[int, int] | None:
        """The same, whether or not the peak needs it."""
        evidence, ladder = self.evidence, self.evidence.ladder
        if not evidence.finished:
            return None
        last = evidence.finished[-1]
        if last.crowded or last.size >= ladder.rows:
            return None
        size = ladder.above(max(last.size, 4 * (self.threshold_ahead or 0)))
        rows = evidence.budget.to_counted(size)
        return None if rows is None else (rows, ladder.budget_for(evidence.finished, size))

    @cached_property
    def threshold_ahead(self) -> int | None:
        """With how many rows growth may end, as the code tells."""
        return None if self._kept is not None else min(self._thresholds, default=None)

    @cached_property
    def cycles_add_up(self) -> bool:
        """Whether growth may end where the cycle collector runs."""
        finished, rows = self.evidence.finished, self.evidence.ladder.rows
        if not finished or self._kept is not None:
            return False
        return finished[-1].size < rows and cycles_add_up(finished, rows)

    @cached_property
    def peaks(self) -> list[tuple[str, float]]:
        """Those of several migrations of one process, and of receivers, the highest first."""
        found = []
        for label, points in curves_by_migration(self._climbed).items():
            projection = project_highest(points, self.evidence.ladder.rows, self._noise)
            if projection is not None:
                found.append((label or self.evidence.budget.label, projection.value))
        # What one has not given back is in the peak of those after it.
        alike = max((peak for _, peak in found), default=0.0) - self._noise
        return sorted(found, key=lambda item: -min(item[1], alike))

    @cached_property
    def _is_flat(self) -> bool:
        """Whether nothing of the rows comes into the process, and the last samples show no growth.

        The first of them fill SQLite's page cache.
        """
        peaks = [sample.run.peak for sample in self.evidence.finished[-2:]]
        return self.evidence.settled and max(peaks) - min(peaks) < VISIBLE

    @property
    def _is_flat_from_few(self) -> bool:
        """Whether two samples or more have the peak of a dry run, which had a few rows."""
        peaks = [sample.run.peak for sample in self._climbed]
        few = self.evidence.few_peak
        return few is not None and len(peaks) > 1 and max(*peaks, few) - min(*peaks, few) < VISIBLE

    @cached_property
    def _thresholds(self) -> list[int]:
        return self.evidence.ahead.thresholds(self.evidence.thresholds)

    @cached_property
    def _kept(self) -> float | None:
        """Bytes that each further row adds at least; None where the samples do not show it."""
        if len(self.evidence.budget.migrations) > 1:
            return None
        return kept_bytes(self.evidence.finished, self._thresholds)

    @cached_property
    def _climbed(self) -> Sequence[Sample]:
        return self.evidence.ladder.climb(self.evidence.finished)

    @cached_property
    def _curves(self) -> list[list[Point]]:
        return curves(self._climbed)

    @cached_property
    def _noise(self) -> float:
        return noise_of(self.evidence.samples)

    @cached_property
    def _grain(self) -> int:
        return self.evidence.ahead.grain(self.evidence.thresholds)

    @cached_property
    def _baseline(self) -> int:
        finished = self.evidence.finished
        return finished[-1].run.baseline or 0 if finished else 0

    def _fits_by_far(self, projection: Projection) -> bool:
        above = projection.high - projection.value
        return self.evidence.budget.limit > projection.high + _FAR * above

    def _is_refuted(self) -> bool:
        """Whether a sample that was stopped had passed what the others project for it."""
        for sample in self.evidence.samples:
            expected = None if sample.finished else project_highest(self._curves, sample.size)
            if expected is not None and sample.run.peak > expected.high:
                return True
        return False
