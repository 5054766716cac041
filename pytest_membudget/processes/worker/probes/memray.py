"""In the worker: run the migration under memray, its forked children too."""

from __future__ import annotations

from memray import FileFormat, Tracker


def capture(path: str) -> Tracker:
    """Record every allocation, each small Python object included.

    An aggregated capture would be smaller and quicker to read, but it is written when the process
    ends, and the children of a pool end without; and memray counts too few blocks in it.
    """
    return Tracker(
        path,
        trace_python_allocators=True,
        follow_fork=True,
        file_format=FileFormat.ALL_ALLOCATIONS,
    )
