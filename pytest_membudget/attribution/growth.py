"""What is alive at two high-water marks of the heap, subtracted: what each stack adds a row."""

from __future__ import annotations

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
    size: float = 0
    blocks: float = 0


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
    for capture in (Path(path), *Path(path).parent.glob(f"{Path(path).name}.*")):
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
    grown: dict[tuple[Frame, ...], Alive] = {}
    for alive, share in ((small, -1 / rows), (large, 1 / rows)):
        for frames, of_stack in alive.items():
            each = grown.setdefault(_without_ours(frames), Alive(of_stack.allocator))
            each.allocator = of_stack.allocator
            each.size += share * of_stack.size
            each.blocks += share * of_stack.blocks
    stacks = []
    for at, one in sorted(grown.items(), key=lambda item: -item[1].size):
        if abs(one.size) >= _LEAST_BYTES:
            extra = overhead(one.allocator, one.size, one.blocks)
            stacks.append(Stack(one.allocator, at, one.size, one.blocks, extra))
    return stacks


def _without_ours(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The cursors that count rows stand before the driver's; sqlite3's have no frame but that."""
    kept = [frame for frame in frames if not is_ours(frame[1])]
    if frames and is_ours(frames[0][1]):
        kept.insert(0, (frames[0][0], "<database driver>", 0))
    return tuple(kept)
