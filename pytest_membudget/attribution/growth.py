"""Two high-water marks, subtracted: what each stack adds with every row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pytest_membudget.attribution.allocator import overhead
from pytest_membudget.attribution.records import Frame, HighWater
from pytest_membudget.project.ownership import is_ours

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
    sizes: dict[tuple[Frame, ...], float] = defaultdict(float)
    blocks: dict[tuple[Frame, ...], float] = defaultdict(float)
    allocators = {}
    for alive, share in ((small, -1 / rows), (large, 1 / rows)):
        for frames, of_stack in alive.items():
            known = _without_ours(frames)
            sizes[known] += share * of_stack.size
            blocks[known] += share * of_stack.blocks
            allocators[known] = of_stack.allocator
    stacks = [
        Stack(allocator, at, sizes[at], blocks[at], overhead(allocator, sizes[at], blocks[at]))
        for at, allocator in allocators.items()
    ]
    return sorted(
        (stack for stack in stacks if abs(stack.bytes_per_row) >= _LEAST_BYTES),
        key=lambda stack: -stack.bytes_per_row,
    )


def _without_ours(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The cursors that count rows stand before the driver's; sqlite3's have no frame but that."""
    kept = [frame for frame in frames if not is_ours(frame[1])]
    if frames and is_ours(frames[0][1]):
        kept.insert(0, (frames[0][0], "<database driver>", 0))
    return tuple(kept)
