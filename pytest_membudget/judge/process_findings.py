"""What the process that was measured has in it, and how well its peak is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_membudget.database.engine import engine_of
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_size


def about_process(samples: Sequence[Sample], vendor: str | None) -> Iterator[Finding]:
    """Findings of a check, of dry runs as well; ``vendor`` is the database's."""
    facts = [sample.run.facts for sample in samples]
    if vendor and engine_of(vendor).embedded:
        yield Finding(
            FindingCode.VENDOR_SQLITE,
            "measured on SQLite; another database changes a migration's memory several times "
            "over, so measure on the one that production runs",
        )
    if any(one.debug for one in facts):
        yield Finding(
            FindingCode.DEBUG_ON,
            "settings.DEBUG is True in the measured process: Django keeps the last 9,000 "
            "statements, each with its parameters",
        )
    if any(one.server_side_cursors_disabled for one in facts):
        yield Finding(
            FindingCode.SERVER_SIDE_CURSORS_DISABLED,
            "DISABLE_SERVER_SIDE_CURSORS is set: iterator() loads the whole result at once",
        )
    processes = max(sample.run.processes for sample in samples)
    if processes > 1:
        yield Finding(
            FindingCode.CHILD_PROCESSES,
            f"the migration ran {processes} processes: the peak is the largest sum of their "
            "proportional set sizes at one instant, looked at some fifty times a second",
        )
    if shared := max(one.shared_memory for one in facts):
        yield Finding(
            FindingCode.SHARED_MEMORY,
            f"up to {format_size(shared)} of the peak are files in /dev/shm or memfds that no "
            "process maps: a container's limit counts them",
        )
    if more := max(one.unexplained for one in facts):
        yield Finding(
            FindingCode.MEMORY_UNEXPLAINED,
            f"its memory control group held {format_size(more)} more than the peak: files that it "
            "writes to a tmpfs, perhaps, which a container's limit counts",
        )
    if left := max(one.left_running for one in facts):
        yield Finding(
            FindingCode.PROCESSES_LEFT,
            f"it leaves {left} process{'es' if left > 1 else ''} running, which membudget ends: "
            "memory that these would take later is not in the peak",
        )
    sources = {sample.run.peak_source for sample in samples if sample.finished}
    if "sampled RSS" in sources:
        yield Finding(
            FindingCode.PEAK_SAMPLED,
            "this system keeps no high-water mark of a process: the peak is the largest RSS seen",
        )
