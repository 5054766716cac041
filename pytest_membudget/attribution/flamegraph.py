"""memray's own flame graph, of growth at production's row count."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

from memray import AllocationRecord, FileFormat, Metadata
from memray.reporters.flamegraph import FlameGraphReporter

from pytest_membudget.attribution.growth import Stack
from pytest_membudget.judge.explanation import Stacks
from pytest_membudget.project.ownership import short_path
from pytest_membudget.texts import visible

_LEAST_SHARE = 0.001


def pack(stacks: Sequence[Stack], rows: int) -> Stacks:
    """The stacks that grow: frames once, a stack as its indices, innermost first."""
    whole = sum(stack.bytes_per_row for stack in stacks)
    index: dict[tuple[str, str, int], int] = {}
    packed = []
    for stack in stacks:
        if stack.bytes_per_row <= max(0.0, whole * _LEAST_SHARE):
            continue
        frames = [(name, short_path(file), line) for name, file, line in stack.frames]
        numbers = tuple(index.setdefault(frame, len(index)) for frame in frames)
        # Larger blocks may have taken the place of more small ones.
        blocks = max(0.0, round(stack.blocks_per_row, 3))
        packed.append((round(stack.bytes_per_row, 1), blocks, numbers))
    return Stacks(rows, tuple(index), tuple(packed))


def write_flamegraph(stacks: Stacks, path: str) -> None:
    """Draw what :func:`pack` gave as one HTML file that needs no network."""
    rows = stacks.rows
    # memray opens the file of each frame, and a result that is read may name anything.
    frames = [(name, visible(file, keep=""), line) for name, file, line in stacks.frames]
    records = [
        _Record([frames[i] for i in numbers], round(size * rows), round(blocks * rows))
        for size, blocks, numbers in stacks.stacks
    ]
    reporter = FlameGraphReporter.from_snapshot(
        cast("list[AllocationRecord]", records), memory_records=[], native_traces=False
    )
    now = datetime.now(timezone.utc)
    total = sum(record.size for record in records)
    metadata = Metadata(
        start_time=now,
        end_time=now,
        total_allocations=sum(record.n_allocations for record in records),
        total_frames=len(frames),
        peak_memory=total,
        command_line=f"growth at {rows:,} rows",
        pid=0,
        main_thread_id=1,
        python_allocator="pymalloc",
        has_native_traces=False,
        trace_python_allocators=True,
        file_format=FileFormat.ALL_ALLOCATIONS,
    )
    with Path(path).open("w", encoding="utf-8") as file:
        reporter.render(
            file,
            metadata=metadata,
            show_memory_leaks=False,
            merge_threads=True,
            inverted=False,
            no_web=True,
        )


@dataclass(frozen=True)
class _Record:
    """As much of an AllocationRecord as a flame graph asks for."""

    stack: list[tuple[str, str, int]]
    size: int
    n_allocations: int
    tid: int = 1
    thread_name: str = ""

    def stack_trace(self, max_stacks: int = sys.maxsize) -> list[tuple[str, str, int]]:
        return self.stack[:max_stacks]
