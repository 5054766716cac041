"""What is alive at two high-water marks of the heap, subtracted: what each stack adds a row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from memray import AllocatorType, FileReader

from pytest_membudget.attribution.allocator import MALLOC, MMAP, PYMALLOC, overhead
from pytest_membudget.project.ownership import is_ours

# Beneath this a stack's growth is a page of something, divided by the rows.
_LEAST_BYTES = 0.05

Frame = tuple[str, str, int]  # function, file, line, as memray has it


@dataclass
class Alive:
    """Bytes that were asked for, in how many blocks.

    memray adds up what one stack asked of several allocators, and names one of them.
    """

    allocator: str
    size: int = 0
    blocks: int = 0


# By stack, innermost frame first.
HighWater = dict[tuple[Frame, ...], Alive]


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


def high_water(path: str) -> HighWater:
    """Of a process and of the children that it forked, each at a high-water mark of its own."""
    alive: HighWater = {}
    captures = [Path(path), *Path(path).parent.glob(f"{Path(path).name}.*")]
    for capture in captures:
        with FileReader(capture) as reader:
            for record in reader.get_high_watermark_allocation_records(merge_threads=True):
                stack = tuple(record.stack_trace())
                at = alive.setdefault(stack, Alive(_allocator(record.allocator)))
                at.size += record.size
                at.blocks += record.n_allocations
    return alive


def _allocator(number: int) -> str:
    kind = AllocatorType(number)
    if kind.name.startswith("PYMALLOC"):
        return PYMALLOC
    return MMAP if kind == AllocatorType.MMAP else MALLOC


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
