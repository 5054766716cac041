"""What is alive at two high-water marks of the heap, subtracted: what each stack adds a row.

What the allocators take beside what was asked of them is estimated from sizes and counts.
pymalloc rounds sizes up to 16 bytes and cuts pools of 16 KiB, each with a header of 48 bytes,
from arenas of 1 MiB (Objects/obmalloc.c).  glibc's malloc adds 8 bytes, rounds up to 16 and gives
at least 32; from 128 KiB on a block is mapped by itself, in pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memray import AllocatorType, FileReader

from pytest_membudget.project.ownership import is_ours

PYMALLOC, MALLOC, MMAP = "pymalloc", "malloc", "mmap"
_ALIGNMENT = 16
LARGEST_SMALL = 512
_POOL, _POOL_HEADER = 16 * 1024, 48
# An arena holds 64 pools, of which one is lost where the mapping isn't aligned to a pool.
_ARENA = 64 / 63
_PAGE = 4096
# One block a row, with a few others among them: its size is the mean, exactly.
_ONE_A_ROW = 1.05
_MAPPED_FROM = 128 * 1024
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


def overhead(allocator: str, size: float, blocks: float) -> float:
    """Bytes a row on top of ``size``, which was asked for in so many blocks a row."""
    if blocks <= 0 or size < 0:
        return 0.0
    mean = size / blocks
    one = blocks <= _ONE_A_ROW
    if allocator == PYMALLOC and mean <= LARGEST_SMALL:
        block = max(_ALIGNMENT, _rounded(mean, one))
        pool = (_POOL - _POOL_HEADER) // block
        return blocks * (_POOL / pool * _ARENA - mean)
    if allocator in (PYMALLOC, MALLOC):
        if mean >= _MAPPED_FROM:
            return blocks * _PAGE / 2
        return blocks * (max(32.0, _rounded(mean + 8, one)) - mean)
    return 0.0


def _rounded(mean: float, one: bool) -> float:
    """The size that blocks of this mean take; of several sizes each is rounded by half a step."""
    if one and abs(mean - round(mean)) < _ONE_A_ROW - 1:
        return -(-round(mean) // _ALIGNMENT) * _ALIGNMENT
    return mean + _ALIGNMENT / 2
