"""In the worker: run the migration under memray, its forked children too."""

from __future__ import annotations

from memray import FileFormat, Tracker


def capture(path: str) -> Tracker:
    """Record what is alive at the heap's high-water mark, each small Python object included."""
    return Tracker(
        path,
        trace_python_allocators=True,
        follow_fork=True,
        file_format=FileFormat.AGGREGATED_ALLOCATIONS,
    )
