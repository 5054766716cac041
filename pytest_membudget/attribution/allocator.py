"""What the allocators take beside what was asked of them, estimated from sizes and counts.

pymalloc rounds sizes up to 16 bytes and cuts pools of 16 KiB, each with a header of 48 bytes,
from arenas of 1 MiB (Objects/obmalloc.c).  glibc's malloc adds 8 bytes, rounds up to 16 and gives
at least 32; from 128 KiB on a block is mapped by itself, in pages.
"""

from __future__ import annotations

from pytest_membudget.attribution.records import MALLOC, PYMALLOC, Alive

_ALIGNMENT = 16
_LARGEST_SMALL = 512
_POOL, _POOL_HEADER = 16 * 1024, 48
# An arena holds 64 pools, of which one is lost where the mapping isn't aligned to a pool.
_ARENA = 64 / 63
_PAGE = 4096
_MAPPED_FROM = 128 * 1024


def overhead(allocator: str, alive: Alive) -> float:
    """Bytes on top of those that were asked for."""
    if not alive.blocks:
        return 0.0
    mean = alive.size / alive.blocks
    if allocator == PYMALLOC and mean <= _LARGEST_SMALL:
        block = max(_ALIGNMENT, _rounded(mean, _ALIGNMENT))
        pool = (_POOL - _POOL_HEADER) // block
        return alive.blocks * (_POOL / pool * _ARENA - mean)
    if allocator in (PYMALLOC, MALLOC):
        if mean >= _MAPPED_FROM:
            return alive.blocks * _PAGE / 2
        return alive.blocks * (max(32.0, _rounded(mean + 8, _ALIGNMENT)) - mean)
    return 0.0


def _rounded(mean: float, step: int) -> float:
    """The size that blocks of this mean take; of several sizes each is rounded by half a step."""
    if mean.is_integer():
        return -(-int(mean) // step) * step
    return mean + step / 2
