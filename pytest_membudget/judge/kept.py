"""What a migration holds at its end, which tells growth that goes on from growth that will stop.

A few thousand rows fill a chunk, a buffer or the allocator's arenas as they fill a list, and wait
for the cycle collector alike.  But at the end of a loop a list holds all rows, see Kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_membudget.judge.growth_fit import STEP
from pytest_membudget.sample import Sample

_FEWEST = 1_000
# How well the blocks a row agree from one stretch to the next.
_ALIKE = 0.85
# Of a chunk of T rows no more than two thirds as many rows are left where it has been filled.
_PASSED = 1.5
_FALLS_ON = 2
# Bytes of a block: a number in a list takes 40, and what a row consists of 60 to 140 for each, with
# the texts that are too long for one.
_LEAST, _MOST = 40, 160


def kept_bytes(samples: Sequence[Sample], thresholds: Sequence[int]) -> float | None:
    """Bytes that each further row adds at least; None where the two largest ``samples`` do not show
    that each does.

    ``thresholds`` are the row counts at which growth may end that they have not left behind.
    """
    known = next((number for number, one in enumerate(samples) if one.held is not None), None)
    latest = samples[-3:] if known is None else samples[max(0, known - 2) : known + 1]
    if len(latest) < 2 or not all(map(_is_followed, latest)):
        return None
    *_, before, last = latest
    if last.size < max(_FEWEST, _PASSED * max(thresholds, default=0)):
        return None
    blocks = _a_row(latest) if last.held is None else _a_row_held(latest, last.held)
    if blocks is None:
        return None
    least = _LEAST * blocks
    # What has grown may be a chunk, beside something small that is kept.
    if thresholds or len(latest) < 3:
        return least
    grown = _slope((before.size, before.run.peak + STEP), (last.size, last.run.peak))
    # Where the slope has been falling, it may fall on.
    falls = _slope_of_peaks(latest[0], before) - _slope_of_peaks(before, last)
    grown -= _FALLS_ON * max(0.0, falls)
    most = _slope((before.size, _most(before)), (last.size, _most(last)))
    if most <= 0:  # the blocks of the largest samples do not tell how many of them are kept
        return least
    return max(least, min(_MOST * blocks, grown * min(1.0, blocks / most)))


def _a_row(latest: Sequence[Sample]) -> float | None:
    """Blocks that each further row adds; None where these may be garbage, or are ever fewer."""
    *_, before, last = latest
    start = (latest[0].size, _held(latest[0])) if len(latest) > 2 else (0, 0)
    blocks = _slope((before.size, _held(before)), (last.size, _held(last)))
    goes_on = blocks >= _ALIKE * _slope(start, (before.size, _held(before))) > 0
    # As much is there whatever the rows: models of earlier states, for one.
    always = min(one.run.facts.cyclic_blocks or 0 for one in latest)
    garbage = any(2 * (_held(one) + always) < _most(one) for one in latest)
    return blocks if goes_on and not garbage else None


def _a_row_held(latest: Sequence[Sample], held: int) -> float | None:
    """The same where it is known that the last one ``held`` so many that are no garbage; None where
    these are not of all its rows, by what a row of the smaller ones has.
    """
    *_, before, last = latest
    start = (latest[0].size, _most(latest[0])) if len(latest) > 2 else (0, 0)
    blocks = held / last.size
    return blocks if blocks >= _ALIKE * _slope(start, (before.size, _most(before))) > 0 else None


def _is_followed(sample: Sample) -> bool:
    run = sample.run
    # A log of statements of its own, that Django keeps with DEBUG, ends at some thousands.
    return run.facts.kept_blocks is not None and run.processes == 1 and not run.facts.debug


def _held(sample: Sample) -> int:
    """Blocks without those that the cycle collector may free."""
    return _most(sample) - (sample.run.facts.cyclic_blocks or 0)


def _most(sample: Sample) -> int:
    return sample.run.facts.kept_blocks or 0


def _slope_of_peaks(one: Sample, other: Sample) -> float:
    return _slope((one.size, one.run.peak), (other.size, other.run.peak))


def _slope(one: tuple[float, float], other: tuple[float, float]) -> float:
    return (other[1] - one[1]) / (other[0] - one[0])
