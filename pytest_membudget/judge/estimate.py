"""What the samples so far say about a budget: curves, projection and verdict."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.ahead import Ahead
from pytest_membudget.judge.coverage import TOUCHED_ALL, Gap, gaps
from pytest_membudget.judge.curves import (
    breaks_at,
    curves,
    curves_by_migration,
    cycles_add_up,
    most_elsewhere,
    noise_of,
)
from pytest_membudget.judge.ladder import Ladder
from pytest_membudget.judge.matching import share_of_each, touched_share, unmatched
from pytest_membudget.judge.projection import (
    CONSTANT,
    FLOOR_ROWS,
    MIB,
    Point,
    Projection,
    fits_up_to,
    project_highest,
)
from pytest_membudget.judge.verdict import Verdict, judge
from pytest_membudget.sample import ForcedValues, Sample

_ENOUGH = 3
_NARROW_SHARE = 0.05
_NARROW_BYTES = 4 * MIB
_TELLING_SHARE = 0.25


@dataclass
class Evidence:
    """The samples of one check and what is known about them.

    ``tables`` maps the budget's models to their tables; ``touches_rows`` says that the migration
    is expected to read or write rows, ``thresholds`` at how many a chunk or a buffer of it may be
    full, ``branches`` with how many it compares a count; ``notes`` are the codes and messages of
    what else the reader should know; ``unnamed`` are tables whose row counts nobody knows;
    ``literals`` are the values that stand in the migration's source.
    """

    budget: Budget
    touches_rows: bool
    thresholds: Sequence[int] = ()
    branches: Sequence[int] = ()
    database: dict[str, str | None] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    notes: Sequence[tuple[str, str]] = ()
    unnamed: Sequence[Gap] = ()
    literals: Container[Any] = frozenset()

    @property
    def ladder(self) -> Ladder:
        return Ladder(max(self.budget.rows.values(), default=0), self.budget.time_budget)

    @property
    def forced_values(self) -> ForcedValues:
        """The columns, by table, that are seeded as its statements ask for."""
        return self.samples[-1].forced_values if self.samples else {}

    @property
    def finished(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.finished]

    @property
    def curves(self) -> list[list[Point]]:
        """What is projected from; see curves.py."""
        return curves(self.ladder.climb(self.samples))

    def touched(self, sample: Sample) -> float | None:
        """The share of the seeded rows that it read or wrote; None where none is expected."""
        return touched_share(sample, self.tables) if self.touches_rows else None

    def touched_last(self) -> float | None:
        """The same of the last sample that finished; None without one as well."""
        return self.touched(self.finished[-1]) if self.finished else None

    def unmatched(self) -> list[str]:
        """Statements that found no row, and might have found any number of them."""
        return unmatched(self.finished[-1]) if self.finished and self.touches_rows else []

    def gaps(self) -> list[Gap]:
        """What the samples leave unseen."""
        return gaps(
            self.budget,
            self.samples,
            touched=self.touched_last(),
            # A seed makes the rows that its author knows of.
            unmatched=() if self.budget.seed else self.unmatched(),
            unnamed=self.unnamed,
            branch=self.ahead.branch(self.branches, self.ladder),
        )

    def projection(self) -> Projection | None:
        """To production's row count; it reaches up to where every seeded row would be touched."""
        noise = noise_of(self.samples)
        projection = project_highest(self.curves, self.ladder.rows, noise, self._grain)
        if projection is None:
            return None
        seen = max(sample.run.peak for sample in self.samples)
        most = most_elsewhere(self.ladder.climb(self.samples), self.ladder.rows)
        elsewhere = max(seen, most + 2 * noise)
        spread = projection.half_width if projection.measured else 2 * noise
        projection = replace(
            projection,
            low=max(projection.low, min(seen, projection.peak) - spread),
            peak=max(projection.peak, seen),
            high=max(projection.high, seen + spread if projection.measured else elsewhere),
        )
        ahead = self.threshold_ahead()
        if ahead is not None:
            bounded = project_highest(self.curves, ahead, noise)
            projection = replace(projection, low=min(projection.low, bounded.low if bounded else 0))
        if self.cycles_add_up():
            projection = replace(projection, low=min(projection.low, seen - spread))
        share, touched = share_of_each(self.forced_values), self.touched_last()
        if touched and touched <= TOUCHED_ALL:
            share = min(share, touched)
        if share == 1 or not self.finished:
            return projection
        baseline = self.finished[-1].run.baseline or 0
        whole = baseline + (projection.high - baseline) / share
        return replace(projection, high=max(projection.high, whole))

    def peaks(self) -> list[tuple[str, float]]:
        """Of several migrations each one's peak at production's rows, the highest first."""
        projections = {
            label: project_highest(points, self.ladder.rows, noise_of(self.samples))
            for label, points in curves_by_migration(self.ladder.climb(self.samples)).items()
        }
        found = [(label, one.peak) for label, one in projections.items() if one is not None]
        return sorted(found, key=lambda item: -item[1])

    @property
    def ahead(self) -> Ahead:
        """The numbers of the code that no sample has passed."""
        return Ahead(self.finished, self.budget.rows, self.tables)

    def threshold_ahead(self) -> int | None:
        """At how many rows, of the model with the most, growth may end."""
        return self.ahead.threshold(self.thresholds)

    @property
    def _grain(self) -> int:
        """In steps of how many rows, of the model with the most, growth may come."""
        return self.ahead.grain(self.thresholds)

    def past(self) -> int | None:
        """How many rows the next sample should have more than, as the code tells."""
        past = self.ahead.past([*self.thresholds, *self.branches])
        if past is None and self._grain and not self.is_narrow():
            return self.finished[-1].size
        return past

    def cycles_add_up(self) -> bool:
        """Whether growth may end where the cycle collector frees what has added up."""
        finished, rows = self.finished, self.ladder.rows
        return bool(finished) and finished[-1].size < rows and cycles_add_up(finished, rows)

    def is_in_danger(self) -> bool:
        """Whether growth, over rows that the migration went to, may pass the limit."""
        projection, touched = self.projection(), self.touched_last()
        if projection is None or projection.growth == CONSTANT:
            return False
        return projection.high >= self.budget.limit and touched not in (0, None)

    def is_narrow(self) -> bool:
        """Whether more rows would tell little more about the peak."""
        projection = self.projection()
        if projection is None:
            return False
        return projection.half_width <= max(_NARROW_SHARE * projection.peak, _NARROW_BYTES)

    def crossing(self) -> float | None:
        """At how many rows, of the model with the most, it is expected to fail one way or other."""
        ends = [
            end
            for end in (self._limit_passed_at(), breaks_at(self.finished, self.ladder.rows))
            if end is not None
        ]
        return min(ends, default=None)

    def fits(self) -> int | None:
        """How many rows of the counted model fit; None where it isn't known or there is no end."""
        return self.counted(self._limit_passed_at())

    def _limit_passed_at(self) -> float | None:
        """At how many rows; None where it isn't known, or where a sample says otherwise."""
        limit, noise = self.budget.limit, noise_of(self.samples)
        over = [sample for sample in self.samples if sample.run.peak > limit]
        if over and over[0] is self.samples[0]:
            return 0.0
        fits = fits_up_to(self.curves, self.ladder.rows, limit, noise)
        return None if over and fits is not None and fits >= over[0].size else fits

    def verdict(self) -> Verdict:
        projection = self.projection()
        verdict = judge(
            self.budget,
            self.samples,
            projection,
            gaps=self.gaps(),
            fits=self.fits(),
            enough=projection is not None and self._is_enough(projection),
            telling=projection is not None and self.stands_alone(projection),
            breaks_at=self.breaks_at(),
        )
        peaks = self.peaks()
        if len(peaks) < 2 or verdict.basis is None:
            return verdict
        return replace(verdict, reason=f"{verdict.reason} {peaks[0][0]} sets the peak.")

    def _is_enough(self, projection: Projection) -> bool:
        if projection.measured:
            return True
        climbed = self.ladder.climb(self.samples)
        above_floor = [sample for sample in climbed if sample.size >= FLOOR_ROWS / 2]
        return len(above_floor) >= _ENOUGH and not self._is_refuted()

    def stands_alone(self, projection: Projection) -> bool:
        """Whether it says that the limit is passed, and by how much, had no sample done so."""
        if projection.measured:
            return True
        telling = projection.half_width <= _TELLING_SHARE * projection.peak
        return telling and projection.low > self.budget.limit and self._is_enough(projection)

    def _is_refuted(self) -> bool:
        """Whether a sample that was stopped had passed what the others project for it."""
        last = self.samples[-1]
        expected = None if last.finished else project_highest(self.curves, last.size)
        return expected is not None and last.run.peak > expected.high

    @property
    def counted_share(self) -> float:
        """How many rows of the counted model there are for one of the largest."""
        if not self.budget.rows:
            return 1.0
        return self.budget.rows[self.budget.counted_model] / self.ladder.rows

    def breaks_at(self) -> int | None:
        """With how many rows of the counted model a statement has too many parameters."""
        return self.counted(breaks_at(self.finished, self.ladder.rows))

    def counted(self, rows: float | None) -> int | None:
        """So many rows of the largest model, in rows of the counted one."""
        return None if rows is None else int(rows * self.counted_share)
