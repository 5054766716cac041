"""One run of a worker: what it is to do, how it ended, and the Run that is made of both."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from pytest_membudget.processes.messages.codec import Codec
from pytest_membudget.processes.messages.job import Key, Probes
from pytest_membudget.processes.messages.reply import WorkerReply
from pytest_membudget.processes.messages.statements import ConnectionOpened, StatementCount
from pytest_membudget.processes.worker.control_group import ControlGroup
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.processes.worker.workers import Workers
from pytest_membudget.sample import Facts, Outcome, Phase, Run
from pytest_membudget.sql.table_names import TableNames

_replies = Codec([WorkerReply])
_logs = Codec([ConnectionOpened, StatementCount])


@dataclass(frozen=True)
class Launch:
    """One run of a worker on the scratch database ``name`` of the alias.

    ``tables`` are the models' tables, each with the sets of columns whose values find a single row;
    ``targets`` and ``migrations`` are those of the job; it has to leave the latter applied, or
    unapplied with ``reverse``.  ``folder`` holds the run's files, ``mark`` is in each of its
    databases, with ``password`` and ``embedded`` as in a Target; the server is of this ``vendor``.
    The run is stopped when its RSS exceeds ``stop_above`` bytes, or after ``deadline`` seconds.
    ``workers`` has its process; without it one is started.  With ``files`` it has some of its own
    in MEDIA_ROOT, and none of the project's.  ``group`` is a control group that limits it.
    """

    alias: str
    name: str
    tables: dict[str, list[list[str]]]
    targets: Sequence[Key]
    migrations: list[Key]
    reverse: bool
    deadline: float
    stop_above: int
    folder: str
    mark: str
    password: str = ""
    embedded: Mapping[str, str] = field(default_factory=dict)
    probes: Probes | None = None
    files: bool = False
    workers: Workers | None = None
    vendor: str = ""
    group: ControlGroup | None = None


@dataclass(frozen=True)
class Ended:
    """How a worker ended: its ``reply``, its ``status``, and the ``seconds`` that it took.

    ``stopped`` is the outcome and the failure of a run that was stopped; ``output`` is what the
    worker has printed.
    """

    reply: WorkerReply | None
    status: int
    seconds: float
    stopped: tuple[Outcome, str] | None
    output: str


def read_reply(reply: Path, overflow: Path) -> WorkerReply | None:
    """The reply with what child processes have logged; None where the worker could not reply."""
    if not reply.exists():
        return None
    found: WorkerReply = _replies.decode(reply.read_bytes())
    return _add_log(found, overflow.read_bytes().splitlines()) if overflow.exists() else found


def _add_log(reply: WorkerReply, lines: list[bytes]) -> WorkerReply:
    statements: dict[str, StatementCount] = {}
    connected, opened = reply.facts.connected, reply.facts.opened
    for line in lines:
        try:
            one = _logs.decode(line)
        except ValueError:  # the child was killed while it wrote
            continue
        if isinstance(one, ConnectionOpened):
            connected += one.by_django
            opened += not one.by_django
        elif one.name in statements:
            statements[one.name].add(one)
        else:
            statements[one.name] = one
    return replace(
        reply,
        statements=[*reply.statements, *statements.values()],
        facts=replace(reply.facts, connected=connected, opened=opened),
    )


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
        begun=meter.begun or reply is not None,
        peak_source=_peak_source(reply, meter),
        server_peak=meter.server_peak,
        timeline=meter.timeline(),
        facts=Facts(**facts),
        failure=failure,
        details=ended.output,
    )
    if reply is None:
        return seen
    duration = ended.seconds if reply.duration is None else reply.duration
    run = replace(
        seen,
        **_of_server(meter, reply.facts, duration),
        baseline=reply.baseline,
        anonymous=reply.anonymous if meter.alone else None,
        duration=duration,
        startup=max(0.0, ended.seconds - duration),
        phases=_phases(reply, meter),
        not_run=tuple(reply.not_run),
        facts=replace(reply.facts, **facts),
        observed=reply.observed,
        breakage=reply.breakage,
        details=reply.details or ended.output,
    )
    return _with_accesses(run, launch, reply)


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


def _of_server(meter: Meter, facts: Facts, duration: float) -> dict[str, Any]:
    """The memory of the server: as it was sampled, and as its last session tells."""
    peak, unseen = meter.server_peak, meter.server_unseen(duration)
    if facts.server_session is None:
        return {"server_peak": peak, "server_unseen": unseen}
    least, most = facts.server_session
    peak = max(least, peak or 0)
    # That of another session is not in the high-water mark of the last one.
    if facts.connected <= 1:
        unseen = min(unseen, max(0, most - peak))
    return {"server_peak": peak, "server_unseen": unseen}


def _phases(reply: WorkerReply, meter: Meter) -> dict[Phase, tuple[int, int]]:
    """The phases of the worker, and one of the whole tree, which may peak at another time."""
    phases = {phase: (began, peak) for phase, began, peak in reply.phases}
    if phases and not meter.alone:
        phases[Phase("", "children")] = (reply.baseline or 0, meter.tree_peak)
    return phases


def _seen(meter: Meter, peak: int, folder: str) -> dict[str, Any]:
    """The facts that the meter has.

    The pages of a SQLite database on a tmpfs are memory, but not the migration's.
    """
    return {
        "shared_memory": meter.shared_peak,
        "left_running": meter.left_running,
        "left_growing": meter.still_grows,
        "unexplained": 0 if is_in_memory(folder) else meter.unexplained(peak),
    }


def is_in_memory(folder: str) -> bool:
    """Whether the files of a folder are pages of memory."""
    mounts = {one.mountpoint: one.fstype for one in psutil.disk_partitions(all=True)}
    path = Path(folder).resolve()
    mounted = next(str(one) for one in (path, *path.parents) if str(one) in {*mounts, "/"})
    return mounts.get(mounted) in ("tmpfs", "ramfs")


def _with_accesses(run: Run, launch: Launch, reply: WorkerReply) -> Run:
    """The run with what its statements accessed."""
    if not reply.statements:
        return run
    from pytest_membudget.processes.worker.accesses import Accesses

    names = TableNames(launch.tables, reply.vendor, reply.facts.schemas)

    def accesses(statements: Iterable[StatementCount]) -> Accesses:
        found = Accesses(names, reply.vendor)
        for statement in statements:
            found.add(statement)
        return found

    by_part: dict[tuple[str, str], list[StatementCount]] = {}
    for statement in reply.statements:
        by_part.setdefault(statement.part, []).append(statement)
    own = accesses(one for (_, name), its in by_part.items() if not name for one in its)
    of_receivers = {name: accesses(its) for (_, name), its in by_part.items() if name}
    for one in of_receivers.values():
        own.named |= one.named
        own.functions |= one.functions
        own.opaque |= one.opaque
    receivers = tuple(one.of_receiver(name) for name, one in of_receivers.items())
    attributes = {**own.of_run(), "receivers": receivers}
    of_each = {label: its for (label, name), its in by_part.items() if label and not name}
    migrations = {label: replace(run, **accesses(its).of_run()) for label, its in of_each.items()}
    return replace(run, **attributes, migrations=migrations)
