"""In the worker: run the migration under memray, its forked children too."""

from __future__ import annotations

from memray import FileFormat, Tracker


def capture(path: str, *, children: bool) -> Tracker:
    """Record what is alive at the heap's high-water mark, each small Python object included.

    An aggregated capture is small and quick to read, but it is written when the process ends, and
    the ``children`` of a pool end without: theirs hold every allocation.
    """
    return Tracker(
        path,
        trace_python_allocators=True,
        follow_fork=True,
        file_format=FileFormat.ALL_ALLOCATIONS if children else FileFormat.AGGREGATED_ALLOCATIONS,
    )
