"""Which pages of files a process has mapped, so that its copy can map them as well.

fork(2) copies the page tables of anonymous memory, and leaves those of files to page faults: a copy
would weigh less than a process that has started by itself.
"""

from __future__ import annotations

import os
from itertools import pairwise

_PAGE = os.sysconf("SC_PAGESIZE")
# Bit 63 of an entry in /proc/self/pagemap: the page is present; see proc_pid_pagemap(5).
_ENTRY, _PRESENT = 8, 0x80


def file_pages() -> list[tuple[int, int]]:
    """The first and the last address of each run of pages.  OSError where the kernel hides them."""
    addresses = []
    entries = os.open("/proc/self/pagemap", os.O_RDONLY)
    try:
        with open("/proc/self/maps") as maps:  # noqa: PTH123
            of_files = [line.split()[0] for line in maps if line.count("/")]
        for start, end in (map(_hexadecimal, one.split("-")) for one in of_files):
            flags = os.pread(entries, (end - start) // _PAGE * _ENTRY, start // _PAGE * _ENTRY)
            present = (one & _PRESENT for one in flags[_ENTRY - 1 :: _ENTRY])
            addresses += [start + _PAGE * place for place, there in enumerate(present) if there]
    finally:
        os.close(entries)
    breaks = [place for place, (a, b) in enumerate(pairwise(addresses), 1) if b - a != _PAGE]
    edges = [0, *breaks, len(addresses)]
    return [(addresses[a], addresses[b - 1]) for a, b in pairwise(edges) if b > a]


def map_pages(pages: list[tuple[int, int]]) -> None:
    """Read a byte of each, which maps it."""
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        for first, last in pages:
            for address in range(first, last + 1, _PAGE):
                os.pread(memory, 1, address)
    finally:
        os.close(memory)


def _hexadecimal(text: str) -> int:
    return int(text, 16)
