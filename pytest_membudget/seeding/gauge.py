"""Values as wide as they shall be, measured in the database that will store them."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from random import Random
from typing import Any

from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.fields.base import SizedValues
from pytest_membudget.seeding.staging_tables import StagingTables, new_name

_ROUNDS = 6
_CLOSE = 0.005
_SAMPLE = 200
_LEAST = 10
_BYTES = 1 << 20
"""How many values are measured: fewer of wide ones, which differ less from each other."""

_SPREAD = 0.6
_STRETCH = 40


@dataclass(frozen=True)
class Gauge:
    """``field`` is stored as in its own table; ``compressed`` wherever that makes it shorter.

    With ``text`` it is the value's text that has the width.
    """

    staging: StagingTables
    field: Field
    compressed: bool
    text: bool = False

    def width(self, values: list[Any], width: float) -> float:
        """Their average bytes once they are stored, which should be about ``width``."""
        staging, name = self.staging, new_name()
        dialect = staging.dialect
        rows = [(value,) for value in values]
        stored = dialect.stored(self.field, compressed=self.compressed, text=self.text)
        with staging.attempt(name, [self.field]):
            if self.compressed:
                dialect.compress(name)
            staging.load(name, [self.field], rows, width)
            [(found,)] = dialect.fetch(f"SELECT avg({stored}) FROM {name}")
        return float(found or 0)

    def fitted(
        self, sized: SizedValues, width: float, endings: list[str], rng: Random
    ) -> list[Any]:
        """A value for each ending, of this average width: some are made, measured, and mended."""
        state = rng.getstate()
        least, count = max(map(len, endings)), len(endings)

        def make(mean: float, count: int) -> list[Any]:
            rng.setstate(state)
            wanted = sizes(mean, count, sized, least, rng)
            return [sized.make(size, ending) for size, ending in zip(wanted, endings, strict=False)]

        mean = width / sized.unit
        if sized.exact and stored_as_builtin(self.field) and not self.compressed:
            return make(mean, count)
        sample = max(_LEAST, min(_SAMPLE, int(_BYTES / (width + 1))))
        before: tuple[float, float] | None = None
        for _ in range(_ROUNDS):
            found = self.width(make(mean, min(count, sample)), width)
            if abs(found - width) <= _CLOSE * width or not found:
                break
            if before is not None and found != before[1]:
                # What is stored beside the contents makes a straight line better than a ratio.
                slope = (found - before[1]) / (mean - before[0])
            else:
                slope = found / mean
            before = mean, found
            mean = max(mean + (width - found) / slope, mean / 4) if slope > 0 else mean / 2
        return make(mean, count)


def sizes(mean: float, count: int, sized: SizedValues, least: int, rng: Random) -> list[int]:
    """So many sizes that vary around ``mean`` and have just this mean, at every stretch of them."""
    least = max(least, sized.least)
    if mean < sized.small:
        filled = max(mean, 0) / sized.small
        return [sized.small * hit for hit in shares(count, filled, rng)]
    mean = min(max(mean, least), sized.most)
    room = min(mean - least, sized.most - mean, _SPREAD * mean)
    exact: list[float] = []
    while len(exact) < count:
        away = rng.triangular(-room, room)
        exact += [mean - away, mean + away] if len(exact) + 1 < count else [mean]
    found, total, given = [], 0.0, 0
    for size in exact:
        total += size
        found.append(floor(total + 0.5) - given)
        given += found[-1]
    return found


def shares(count: int, share: float, rng: Random) -> list[bool]:
    """So many marks of which a share is set, each short stretch of them having its part of it."""
    marks = [floor((n + 1) * share + 0.5) > floor(n * share + 0.5) for n in range(count)]
    for start in range(0, count, _STRETCH):
        stretch = marks[start : start + _STRETCH]
        rng.shuffle(stretch)
        marks[start : start + _STRETCH] = stretch
    return marks
