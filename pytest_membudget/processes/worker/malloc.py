"""The memory that malloc has allocated, as glibc counts it; see mallinfo(3)."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


class _Mallinfo2(ctypes.Structure):
    _fields_ = [("counts", ctypes.c_size_t * 10)]


def malloc_use() -> tuple[int, int]:
    """Bytes in use, and bytes that were given back to malloc, but not by it to the system.

    0 where the C library keeps no such count.  Python's small objects are not among them: pymalloc
    maps its arenas itself.
    """
    count = _mallinfo2()
    if count is None:
        return 0, 0
    _, _, _, _, mapped, _, _, used, free, _ = count().counts
    return used + mapped, free


@cache
def _mallinfo2() -> Any:
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is not None:
        function.restype = _Mallinfo2
    return function


def release_free_memory() -> None:
    """Have malloc give free pages back to the system, where it can; see malloc_trim(3)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
