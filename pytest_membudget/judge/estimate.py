"""What the samples say about the peak at production's row count."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_membudget.budget.row_scale import RowScale
from pytest_membudget.judge.coverage import TOUCHED_ALL
from pytest_membudget.judge.curves import (
    breaks_at,
    curves,
    curves_by_migration,
    cycles_add_up,
    most_elsewhere,
    noise_of,
)
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.ladder import Outlook
from pytest_membudget.judge.matching import share_of_each
from pytest_membudget.judge.projection import (
    FLOOR_ROWS,
    MIB,
    Projection,
    fits_up_to,
    project_highest,
)

_ENOUGH = 3
_NARROW_SHARE = 0.05
_NARROW_BYTES = 4 * MIB
_TELLING_SHARE = 0.25


@dataclass(frozen=True)
class Estimate:
    """Built once after each sample; ``scale`` converts its row counts, of the largest model.

    ``projection`` is to production's row count, None where the samples do not suffice; its interval
    reaches up to where every seeded row would be touched.  ``enough`` says that there are enough
    samples to trust it, ``telling`` that it alone says that the limit is passed and by how much,
    ``narrow`` that more rows would tell little more.  ``limit_passed_at`` and ``breaks_at`` are row
    counts: where the limit is passed, and where a statement has too many parameters; None where
    they are unknown or beyond production.  ``past`` is how many rows the next sample should have
    more than, as the code tells; ``threshold_ahead`` where growth may end, ``cycles_add_up`` that
    it may end where the cycle collector runs.  ``peaks`` are those of several migrations, the
    highest first; ``duration`` is the time in seconds at production's row count.
    """

    scale: RowScale
    projection: Projection | None = None
    enough: bool = False
    telling: bool = False
    narrow: bool = False
    limit_passed_at: float | None = None
    breaks_at: float | None = None
    past: int | None = None
    threshold_ahead: int | None = None
    cycles_add_up: bool = False
    peaks: tuple[tuple[str, float], ...] = ()
    duration: float | None = None

    @property
    def fits(self) -> int | None:
        """How many rows of the counted model fit; None where it is unknown or there is no end."""
        return self.scale.to_counted(self.limit_passed_at)

    @property
    def breaks_with(self) -> int | None:
        """With how many rows of the counted model a statement has too many parameters."""
        return self.scale.to_counted(self.breaks_at)

    def outlook(self, *, decided: bool, exceeds: bool) -> Outlook:
        """What the ladder asks, beside the verdict."""
        ends = [end for end in (self.limit_passed_at, self.breaks_at) if end is not None]
        return Outlook(decided, self.narrow, exceeds, min(ends, default=None), self.past)


def estimate(evidence: Evidence, touched: float | None) -> Estimate:
    """``touched`` is the share of the seeded rows that the last sample read or wrote."""
    scale = evidence.budget.scale
    if not evidence.samples:
        return Estimate(scale)
    return _Estimator(evidence, touched).estimate()


class _Estimator:
    def __init__(self, evidence: Evidence, touched: float | None) -> None:
        self._evidence = evidence
        self._touched = touched
        self._samples, self._finished = evidence.samples, evidence.finished
        self._ladder = evidence.ladder
        self._rows = self._ladder.rows
        self._limit = evidence.budget.limit
        self._climbed = self._ladder.climb(self._samples)
        self._curves = curves(self._climbed)
        self._noise = noise_of(self._samples)
        self._ahead = evidence.ahead
        self._grain = self._ahead.grain(evidence.thresholds)
        self._threshold = self._ahead.threshold(evidence.thresholds)
        last = self._finished[-1].size if self._finished else self._rows
        self._cycles = last < self._rows and cycles_add_up(self._finished, self._rows)

    def estimate(self) -> Estimate:
        projection = self._projection()
        enough = projection is not None and self._is_enough(projection)
        narrow = projection is not None and _is_narrow(projection)
        duration = self._ladder.duration(self._finished, self._rows) if self._finished else None
        return Estimate(
            self._evidence.budget.scale,
            projection,
            enough=enough,
            telling=projection is not None and self._is_telling(projection, enough),
            narrow=narrow,
            limit_passed_at=self._limit_passed_at(),
            breaks_at=breaks_at(self._finished, self._rows),
            past=self._past(narrow),
            threshold_ahead=self._threshold,
            cycles_add_up=self._cycles,
            peaks=self._peaks(),
            duration=duration,
        )

    def _projection(self) -> Projection | None:
        noise = self._noise
        projection = project_highest(self._curves, self._rows, noise, self._grain)
        if projection is None:
            return None
        seen = max(sample.run.peak for sample in self._samples)
        elsewhere = max(seen, most_elsewhere(self._climbed, self._rows) + 2 * noise)
        spread = projection.half_width if projection.measured else 2 * noise
        projection = replace(
            projection,
            low=max(projection.low, min(seen, projection.peak) - spread),
            peak=max(projection.peak, seen),
            high=max(projection.high, seen + spread if projection.measured else elsewhere),
        )
        if self._threshold is not None:
            bounded = project_highest(self._curves, self._threshold, noise)
            projection = replace(projection, low=min(projection.low, bounded.low if bounded else 0))
        if self._cycles:
            projection = replace(projection, low=min(projection.low, seen - spread))
        return self._if_all_were_touched(projection)

    def _if_all_were_touched(self, projection: Projection) -> Projection:
        share = share_of_each(self._evidence.forced_values)
        if self._touched and self._touched <= TOUCHED_ALL:
            share = min(share, self._touched)
        if share == 1 or not self._finished:
            return projection
        baseline = self._finished[-1].run.baseline or 0
        whole = baseline + (projection.high - baseline) / share
        return replace(projection, high=max(projection.high, whole))

    def _is_enough(self, projection: Projection) -> bool:
        if projection.measured:
            return True
        above_floor = [sample for sample in self._climbed if sample.size >= FLOOR_ROWS / 2]
        return len(above_floor) >= _ENOUGH and not self._is_refuted()

    def _is_refuted(self) -> bool:
        """Whether a sample that was stopped had passed what the others project for it."""
        last = self._samples[-1]
        expected = None if last.finished else project_highest(self._curves, last.size)
        return expected is not None and last.run.peak > expected.high

    def _is_telling(self, projection: Projection, enough: bool) -> bool:
        if projection.measured:
            return True
        sharp = projection.half_width <= _TELLING_SHARE * projection.peak
        return sharp and projection.low > self._limit and enough

    def _limit_passed_at(self) -> float | None:
        """None where it is unknown, or where a sample says otherwise."""
        over = [sample for sample in self._samples if sample.run.peak > self._limit]
        if over and over[0] is self._samples[0]:
            return 0.0
        fits = fits_up_to(self._curves, self._rows, self._limit, self._noise)
        return None if over and fits is not None and fits >= over[0].size else fits

    def _past(self, narrow: bool) -> int | None:
        past = self._ahead.past([*self._evidence.thresholds, *self._evidence.branches])
        if past is None and self._grain and not narrow:
            return self._finished[-1].size
        return past

    def _peaks(self) -> tuple[tuple[str, float], ...]:
        projections = {
            label: project_highest(points, self._rows, self._noise)
            for label, points in curves_by_migration(self._climbed).items()
        }
        found = [(label, one.peak) for label, one in projections.items() if one is not None]
        return tuple(sorted(found, key=lambda item: -item[1]))


def _is_narrow(projection: Projection) -> bool:
    return projection.half_width <= max(_NARROW_SHARE * projection.peak, _NARROW_BYTES)
