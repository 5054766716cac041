"""What a capture holds: the blocks that were alive at the heap's high-water mark, by stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memray import AllocatorType, FileReader

PYMALLOC, MALLOC, MMAP = "pymalloc", "malloc", "mmap"

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
