"""A figure beside the peak that may have a limit: the duration, or the memory of the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import ClassVar

from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.growth_fit import BYTES, Growth, Point, Scale
from pytest_membudget.judge.projection import Projection, fits_up_to, project
from pytest_membudget.sample import Sample

ENOUGH = 3
"""Samples with which a projection is trusted, whatever the limit."""
# By how many times what is above the figure in its interval the limit is farther away.
_FAR = 2


@dataclass(frozen=True)
class Wording:
    """What a verdict calls a figure: its ``limit``, what it ``would`` be or ``did`` come to with
    ``{}`` for the amount, and how the migration ``fits``, which ends a sentence.
    """

    limit: str
    would: str
    did: str
    fit: str
    fits: str
    amount: Callable[[float], str]
    interval: Callable[[float, float, float], str]


@dataclass(frozen=True)
class LimitedFigure(ABC):
    """What the samples of ``evidence`` say of a figure at production's row count.

    By ``least`` and ``most`` production may have fewer and more of the rows that they touched.
    """

    evidence: Evidence
    least: float = 1.0
    most: float = 1.0
    wording: ClassVar[Wording]
    scale: ClassVar[Scale] = BYTES

    @property
    @abstractmethod
    def limit(self) -> float | None:
        """None where there is none."""

    @property
    @abstractmethod
    def projection(self) -> Projection | None:
        """To production's row count; None where the samples do not tell."""

    @abstractmethod
    def of_sample(self, sample: Sample) -> float | None:
        """The figure of one sample; of one that was stopped the least that it can be."""

    @property
    def unknown(self) -> str:
        """Why no sample tells the figure; empty where more samples would."""
        return ""

    @property
    def enough(self) -> bool:
        """Whether there are enough samples to trust the projection.

        Two are where the limit is far above its interval.
        """
        found, limit = self.projection, self.limit
        if found is None or found.measured or limit is None:
            return found is not None
        above = found.high - found.value
        return len(self._points) >= ENOUGH or limit > found.high + _FAR * above

    @property
    def over(self) -> Sample | None:
        """The first sample that has passed the limit."""
        limit = inf if self.limit is None else self.limit
        samples = self.evidence.samples
        return next((one for one in samples if (self.of_sample(one) or 0) > limit), None)

    @property
    def fits(self) -> int | None:
        """How many rows of the counted model fit; None where it is unknown or there is no end."""
        curve, rows = [self._points], self.evidence.ladder.rows
        if self.limit is None or not rows or not self._points:
            return None
        passed_at = fits_up_to(curve, rows, self.limit, self._noise, self.scale)
        return self.evidence.budget.to_counted(passed_at)

    @property
    def _samples(self) -> Sequence[Sample]:
        return self.evidence.ladder.climb(self.evidence.finished)

    @cached_property
    def _points(self) -> list[Point]:
        figures = ((float(one.size), self.of_sample(one)) for one in self._samples)
        return [(size, figure) for size, figure in figures if figure is not None]

    @property
    @abstractmethod
    def _noise(self) -> float:
        """How far a figure may be off when it is measured again."""

    def _project(self, points: Sequence[Point], rows: float) -> Projection | None:
        """Without rows it is the most of all dry runs."""
        if not rows and points:
            most = max(figure for _, figure in points)
            spread = 2 * self._noise
            return Projection(most, most - spread, most + spread, 0, Growth.CONSTANT, measured=True)
        return project(points, rows, self._noise, scale=self.scale)


def limited(*figures: LimitedFigure) -> list[LimitedFigure]:
    """Those that have a limit."""
    return [one for one in figures if one.limit is not None]
