"""From a worker's reply, and what was seen of it from outside, to a Run."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from pytest_membudget.processes.messages.reply import WorkerReply
from pytest_membudget.processes.worker.launch import Launch
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.sample import Facts, Outcome, Phase, Run
from pytest_membudget.sql.table_names import TableNames


@dataclass(frozen=True)
class Ended:
    """How a worker ended: its ``reply``, its ``status``, and the ``seconds`` that it took.

    ``stopped`` is the outcome of a run that was stopped, with what to say about it; ``output`` is
    what it printed.
    """

    reply: WorkerReply | None
    status: int
    seconds: float
    stopped: tuple[Outcome, str] | None
    output: str


def outcome_of(launch: Launch, ended: Ended, meter: Meter) -> Run:
    reply = ended.reply
    outcome, failure = ended.stopped or _outcome(launch, ended, meter)
    peak = _peak(reply, meter)
    facts = _seen(meter, peak, launch.folder)
    seen = Run(
        outcome=outcome,
        peak=peak,
        duration=ended.seconds,
        processes=meter.processes,
        peak_source=_peak_source(reply, meter),
        timeline=meter.timeline(),
        facts=Facts(**facts),
        failure=failure,
        details=ended.output,
    )
    if reply is None:
        return seen
    duration = ended.seconds if reply.duration is None else reply.duration
    return replace(
        seen,
        baseline=reply.baseline,
        anonymous=reply.anonymous if meter.alone else None,
        duration=duration,
        startup=max(0.0, ended.seconds - duration),
        phases=_phases(reply, meter),
        not_run=tuple((one.operation, one.why) for one in reply.not_run),
        facts=replace(reply.facts, **facts),
        observed=reply.observed,
        details=reply.details or ended.output,
        **_accessed(launch, reply),
    )


def _outcome(launch: Launch, ended: Ended, meter: Meter) -> tuple[Outcome, str]:
    reply, status = ended.reply, ended.status
    if reply is None:
        if status == -signal.SIGKILL and (container := meter.was_killed_for_memory()):
            return Outcome.MACHINE_SHORT, f"{container} ran out of memory"
        if status < 0:
            return Outcome.KILLED, f"its process was killed by {signal.Signals(-status).name}"
        return Outcome.KILLED, f"its process exited with status {status} without a reply"
    if reply.failure is not None:
        return Outcome.RAISED, reply.failure
    if any(done == launch.reverse for done in reply.applied):
        verb = "unapplied" if launch.reverse else "applied"
        return Outcome.RAISED, f"manage.py migrate finished, but the migration is not {verb}"
    return Outcome.FINISHED, ""


def _peak(reply: WorkerReply | None, meter: Meter) -> int:
    own = meter.rss_peak if reply is None or reply.peak is None else reply.peak
    return own if meter.alone else max(own, meter.tree_peak)


def _peak_source(reply: WorkerReply | None, meter: Meter) -> str:
    if meter.processes > 1:
        return "sampled PSS"
    if meter.shared_peak:
        return "sampled RSS with shared memory"
    return "sampled RSS" if reply is None or reply.peak is None else "VmHWM"


def _phases(reply: WorkerReply, meter: Meter) -> dict[Phase, tuple[int, int]]:
    """Those of the worker; of a tree, which may peak at another time, the whole as well."""
    phases = {
        Phase(mark.migration, mark.statement): (mark.began, mark.peak) for mark in reply.phases
    }
    if phases and not meter.alone:
        phases[Phase("", "children")] = (reply.baseline or 0, meter.tree_peak)
    return phases


def _seen(meter: Meter, peak: int, folder: str) -> dict[str, Any]:
    """The facts that are seen from outside: of the parts of the peak, and of what it lacks.

    A SQLite database on a tmpfs is memory, but not that of the migration.
    """
    return {
        "shared_memory": meter.shared_peak,
        "left_running": meter.left_running,
        "left_growing": meter.still_grows,
        "unexplained": 0 if _is_in_memory(folder) else meter.unexplained(peak),
    }


def _is_in_memory(folder: str) -> bool:
    """Whether the files of a folder are pages of memory."""
    mounts = {one.mountpoint: one.fstype for one in psutil.disk_partitions(all=True)}
    path = Path(folder).resolve()
    mounted = next(str(one) for one in (path, *path.parents) if str(one) in {*mounts, "/"})
    return mounts.get(mounted) in ("tmpfs", "ramfs")


def _accessed(launch: Launch, reply: WorkerReply) -> dict[str, Any]:
    """The attributes of a run that follow from its statements."""
    if not reply.statements:
        return {}
    from pytest_membudget.processes.worker.accesses import Accesses

    names = TableNames(launch.tables, reply.vendor, reply.facts.schemas)
    accesses = Accesses(names, reply.vendor)
    for statement in reply.statements:
        accesses.add(statement)
    return accesses.of_run()
