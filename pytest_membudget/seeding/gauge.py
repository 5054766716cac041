"""Values as wide as they shall be, measured in the database that will store them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.sequences import trusted
from pytest_membudget.seeding.sized_values import sizes
from pytest_membudget.seeding.staging_tables import new_name

if TYPE_CHECKING:
    from random import Random

    from django.db import models

    from pytest_membudget.seeding.sized_values import Maker
    from pytest_membudget.seeding.staging_tables import Scratch

_ROUNDS = 6
_CLOSE = 0.005
_SAMPLE = 200
_LEAST = 10
_BYTES = 1 << 20
"""How many values are measured: fewer of wide ones, which differ less from each other."""


@dataclass(frozen=True)
class Gauge:
    """``field`` is stored as in its own table; ``compressed`` wherever that makes it shorter.

    With ``text`` it is the value's text that has the width.
    """

    scratch: Scratch
    field: models.Field[Any, Any]
    compressed: bool
    text: bool = False

    def width(self, values: list[Any], width: float) -> float:
        """Their average bytes once they are stored, which should be about ``width``."""
        scratch, name = self.scratch, new_name()
        dialect = scratch.dialect
        rows = [(value,) for value in values]
        stored = dialect.stored(
            dialect.column(self.field), self.field, compressed=self.compressed, text=self.text
        )
        with scratch.attempt(name, [self.field]):
            if self.compressed:
                dialect.compress(name)
            scratch.load(name, self.field.model, [self.field], rows, width)
            [(found,)] = dialect.fetch(f"SELECT avg({stored}) FROM {name}")
        return float(found or 0)

    def fitted(self, maker: Maker, width: float, tails: list[str], dice: Random) -> list[Any]:
        """A value for each tail, of this average width: some are made, measured, and mended."""
        state = dice.getstate()
        least, count = max(map(len, tails)), len(tails)

        def make(mean: float, count: int) -> list[Any]:
            dice.setstate(state)
            wanted = sizes(mean, count, maker, least, dice)
            return [maker.make(size, tail) for size, tail in zip(wanted, tails, strict=False)]

        mean = width / maker.unit
        if maker.exact and trusted(self.field) and not self.compressed:
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
