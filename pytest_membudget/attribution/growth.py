"""Two high-water marks, subtracted: what each stack adds with every row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pytest_membudget.attribution.allocator import overhead
from pytest_membudget.attribution.records import Alive, Frame, HighWater
from pytest_membudget.frames import is_ours

# Beneath this a stack's growth is a page of something, divided by the rows.
_LEAST_BYTES = 0.05


@dataclass(frozen=True)
class Stack:
    """Growth of one stack, in bytes and blocks a row; ``overhead`` is the allocator's, in bytes.

    ``frames`` are innermost first, without those of this package.
    """

    allocator: str
    frames: tuple[Frame, ...]
    bytes_per_row: float
    blocks_per_row: float
    overhead: float


def growth(small: HighWater, large: HighWater, rows: int) -> list[Stack]:
    """What grew between two captures that are ``rows`` rows apart, largest first."""
    grown: dict[tuple[str, tuple[Frame, ...]], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for (allocator, frames), after in large.items():
        _add(grown, allocator, frames, after, 1 / rows)
    for (allocator, frames), before in small.items():
        _add(grown, allocator, frames, before, -1 / rows)
    stacks = [Stack(*key, *figures) for key, figures in grown.items()]
    return sorted(
        (stack for stack in stacks if abs(stack.bytes_per_row) >= _LEAST_BYTES),
        key=lambda stack: -stack.bytes_per_row,
    )


def _add(
    grown: dict[tuple[str, tuple[Frame, ...]], list[float]],
    allocator: str,
    frames: tuple[Frame, ...],
    alive: Alive,
    sign: float,
) -> None:
    at = grown[allocator, _without_ours(frames)]
    at[0] += sign * alive.size
    at[1] += sign * alive.blocks
    at[2] += sign * overhead(allocator, alive)


def _without_ours(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The cursors that count rows stand before the driver's; sqlite3's have no frame but that."""
    kept = [frame for frame in frames if not is_ours(frame[1])]
    if frames and is_ours(frames[0][1]):
        kept.insert(0, (frames[0][0], "<database driver>", 0))
    return tuple(kept)
