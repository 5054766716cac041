"""What the process that was measured has in it, and how well its peak is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pytest_membudget.database.engine import engine_of
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_size


def rows_of_receivers(samples: Sequence[Sample], seeded: Collection[str]) -> dict[str, set[str]]:
    """The tables, by receiver, that it may load any rows of and that were not ``seeded``."""
    found: dict[str, set[str]] = {}
    for one in (one for sample in samples for one in sample.run.receivers):
        if unseen := one.loads.difference(seeded):
            found.setdefault(one.name, set()).update(unseen)
    return found


def about_process(
    samples: Sequence[Sample], vendor: str | None, seeded: Collection[str] = ()
) -> Iterator[Finding]:
    """Findings of a check, of dry runs as well; ``vendor`` is the database's.

    ``seeded`` are the tables that have rows.
    """
    for name, tables in rows_of_receivers(samples, seeded).items():
        yield Finding(
            FindingCode.RECEIVER_ROWS,
            f"{name}, a receiver of pre_migrate or post_migrate, loads rows of "
            f"{', '.join(sorted(tables))}, which were not seeded, because the migration does not "
            "access them: what production's rows take in it is not in the peak; every manage.py "
            "migrate calls it, whatever it applies",
        )
    facts = [sample.run.facts for sample in samples]
    if vendor and engine_of(vendor).embedded:
        yield Finding(
            FindingCode.VENDOR_SQLITE,
            "measured on SQLite; the peak on another database can be several times larger or "
            "smaller, so measure on the database that production uses",
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
    if failed := dict.fromkeys(text for one in facts for text in one.failed_receivers):
        yield Finding(
            FindingCode.RECEIVER_FAILED,
            f"receivers of pre_migrate or post_migrate failed: {'; '.join(failed)}; a deploy runs "
            "them when all of its migrations are applied, and that was not measured",
        )
    processes = max(sample.run.processes for sample in samples)
    if processes > 1:
        yield Finding(
            FindingCode.CHILD_PROCESSES,
            f"the migration ran {processes} processes: the peak is the largest sum of their "
            "proportional set sizes (PSS), sampled about 50 times a second",
        )
    if shared := max(one.shared_memory for one in facts):
        yield Finding(
            FindingCode.SHARED_MEMORY,
            f"up to {format_size(shared)} of the peak is files in /dev/shm or memfds that no "
            "process maps; they count toward a container's memory limit",
        )
    if more := max(one.unexplained for one in facts):
        yield Finding(
            FindingCode.MEMORY_UNEXPLAINED,
            f"the migration's memory control group used {format_size(more)} more than the peak, "
            "possibly for files on a tmpfs, which count toward a container's memory limit",
        )
    if left := max(one.left_running for one in facts):
        yield Finding(
            FindingCode.PROCESSES_LEFT,
            f"the migration leaves {left} process{'es' if left > 1 else ''} running, which "
            "membudget stops; memory that they would use later is not in the peak",
        )
    if any(one.held_up for one in facts):
        yield Finding(
            FindingCode.STATEMENT_HELD_UP,
            "the database server could not end a statement of the migration within a second after "
            "its process was killed; until the statement ends, it takes the server's time, and no "
            "database can be dropped",
        )
    sources = {sample.run.peak_source for sample in samples if sample.finished}
    if "sampled RSS" in sources:
        yield Finding(
            FindingCode.PEAK_SAMPLED,
            "this system does not report the high-water mark of a process (VmHWM), so the peak is "
            "the largest sampled RSS",
        )
