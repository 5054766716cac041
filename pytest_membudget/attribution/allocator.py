"""What the allocators take beside what was asked of them, estimated from sizes and counts.

pymalloc rounds sizes up to 16 bytes and cuts pools of 16 KiB, each with a header of 48 bytes,
from arenas of 1 MiB (Objects/obmalloc.c).  glibc's malloc adds 8 bytes, rounds up to 16 and gives
at least 32; from 128 KiB on a block is mapped by itself, in pages.
"""

from __future__ import annotations

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
