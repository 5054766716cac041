"""How long a sample of more or fewer rows will take, as those before it tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pytest_membudget.sample import Sample

FELT_SECONDS = 0.1
_LONG_SECONDS = 1.0
_COLLECTING = 1.3


def seconds(samples: Sequence[Sample], size: int) -> float:
    """How long a sample of ``size`` rows, more than these have, will take, seeding included."""
    last = samples[-1]
    seeded = last.size - (samples[-2].size if len(samples) > 1 else 0)
    seeding = last.seed_seconds / seeded * max(0, size - last.size)
    applying = last.run.duration * (size / last.size) ** _next_exponent(samples)
    return float(last.run.startup + applying + seeding)


def seconds_below(first: Sample, size: float) -> float:
    """How long a sample of fewer rows will take, in a database of its own."""
    of_rows = (first.run.duration + first.seed_seconds) * size / first.size
    return float(first.run.startup + of_rows)


def again(sample: Sample) -> float:
    """How long it will take to go through its rows once more, with garbage collected again and
    again.
    """
    return float(sample.run.startup + _COLLECTING * sample.run.duration + sample.seed_seconds)


def _next_exponent(samples: Sequence[Sample]) -> float:
    """The power for the stretch to come: one that has been rising is expected to rise on."""
    before, last = [1.0, 1.0, *_exponents(samples)][-2:]
    rising = samples[-1].run.duration > _LONG_SECONDS and len(samples) > 2
    return last + max(0.0, last - before) if rising else last


def _exponents(samples: Sequence[Sample]) -> list[float]:
    """The power of the rows with which the time grew, from each sample to the next; 1 at least."""
    return [1.0] + [
        max(1.0, math.log(b.run.duration / a.run.duration) / math.log(b.size / a.size))
        for a, b in pairwise(samples)
        if b.run.duration > FELT_SECONDS and a.run.duration > 0
    ]
