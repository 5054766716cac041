"""Run the worker once: watch its memory from outside, stop it when need be, say how it ended."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from pytest_membudget.database.target import Target
from pytest_membudget.processes.child import close_stream, kill, send, start_worker
from pytest_membudget.processes.worker.main import unfinished_answer
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.processes.worker.output import Output
from pytest_membudget.sample import (
    FINISHED,
    KILLED,
    MACHINE_SHORT,
    OVER_LIMIT,
    RAISED,
    TIMED_OUT,
    Run,
)
from pytest_membudget.sql.table_names import TableNames

_INTERVAL = 0.01


@dataclass(frozen=True)
class WorkerJob:
    """What one worker has to do.

    ``targets`` are the arguments of ``manage.py migrate``; ``migrations`` are the keys that it
    has to leave applied (unapplied, when ``reverse``).  ``mark`` is in each of the run's databases,
    see redirection.  ``stop_above`` is the RSS in bytes from
    which on the verdict is certain; ``deadline`` seconds.  ``aid`` is what accompanies
    a run that is not a measurement, see probes/probe.py.
    """

    alias: str
    name: str
    tables: dict[str, list[list[str]]]
    targets: list[tuple[str, str]]
    migrations: list[tuple[str, str]]
    reverse: bool
    deadline: float
    stop_above: int
    folder: str
    mark: str
    aid: dict[str, Any] | None = None


def run(job: WorkerJob) -> Run:
    """Apply the migration in a fresh process."""
    with tempfile.TemporaryDirectory(dir=job.folder) as folder:
        reply, overflow = Path(folder, "reply.json"), Path(folder, "rows")
        target = Target(
            job.alias,
            job.name,
            job.mark,
            job.folder,
            str(Path(folder, "target.json")),
            statements=str(overflow),
        )
        process = start_worker(subprocess.PIPE, subprocess.STDOUT)
        output = Output(process)
        meter = Meter(process.pid)
        try:
            request = {
                "alias": job.alias,
                "target": target.file,
                "tables": job.tables,
                "targets": job.targets,
                "migrations": job.migrations,
                "reply": str(reply),
                "overflow": str(overflow),
                "aid": job.aid,
            }
            target.write()
            begin = time.monotonic()
            with contextlib.suppress(BrokenPipeError):
                send(process, json.dumps(request))
            stopped = _watch(process, meter, job, begin, unfinished_answer(str(reply)))
        finally:
            kill(process)
            meter.close()
            printed = output.text()
            if not output.open:
                close_stream(process.stdout)
        answer = json.loads(reply.read_text()) if reply.exists() else {}
        if answer and overflow.exists():
            _add_overflow(answer, overflow.read_text().splitlines())
        elapsed = time.monotonic() - begin
        done = _conclude(job, process, meter, answer, stopped, printed, elapsed)
        return replace(done, refused=tuple(target.refusals()))


def _watch(
    process: subprocess.Popen[bytes],
    meter: Meter,
    job: WorkerJob,
    begin: float,
    applied: Path,
) -> tuple[str, str] | None:
    """Wait for the end; the outcome of a run that was stopped, and what to say about it.

    ``applied`` is a file that is there once the migration is applied.
    """
    while process.poll() is None:
        now = meter.look()
        if now > job.stop_above:
            return OVER_LIMIT, OVER_LIMIT
        if short := meter.shortage():
            return MACHINE_SHORT, f"{short} ran short of memory"
        if meter.is_over():
            return None
        if time.monotonic() - begin > job.deadline:
            text = f"it had not ended after {job.deadline:.0f} s"
            if applied.exists():
                text += "; the migration is applied, but a thread or an atexit handler still runs"
            return TIMED_OUT, text
        time.sleep(_INTERVAL)
    return None


def _conclude(
    job: WorkerJob,
    process: subprocess.Popen[bytes],
    meter: Meter,
    answer: dict[str, Any],
    stopped: tuple[str, str] | None,
    output: str,
    elapsed: float,
) -> Run:
    outcome, failure = stopped or _outcome(job, process.returncode, answer, meter)
    alone = meter.alone
    own_peak = answer.get("peak", meter.rss_peak)
    peak = own_peak if alone else max(own_peak, meter.tree_peak)
    return Run(
        outcome=outcome,
        peak=peak,
        baseline=answer.get("baseline"),
        anonymous=answer.get("anonymous") if alone else None,
        duration=answer.get("duration", elapsed),
        startup=max(0.0, elapsed - answer.get("duration", elapsed)),
        phases=_phases(answer, meter),
        processes=meter.processes,
        peak_source=_peak_source(answer, meter),
        **_accessed(job, answer),
        not_run=tuple((label, why) for label, why in answer.get("not_run", [])),
        timeline=meter.timeline(),
        facts={**answer.get("facts", {}), **_seen(meter, peak, job.folder)},
        observed=answer.get("observed", {}),
        failure=failure,
        details=answer.get("details", "") or output,
    )


def _peak_source(answer: dict[str, Any], meter: Meter) -> str:
    if meter.processes > 1:
        return "sampled PSS"
    if meter.shared_peak:
        return "sampled RSS with shared memory"
    return "VmHWM" if "peak" in answer else "sampled RSS"


def _seen(meter: Meter, peak: int, folder: str) -> dict[str, Any]:
    """What is to be said of the peak: of its parts, and of what it lacks.

    A SQLite database on a tmpfs is memory, but not that of the migration.
    """
    seen = {
        "shared_memory": meter.shared_peak,
        "left_running": meter.left_running,
        "left_growing": meter.still_grows,
        "unexplained": 0 if _is_in_memory(folder) else meter.unexplained(peak),
    }
    return {name: value for name, value in seen.items() if value}


def _is_in_memory(folder: str) -> bool:
    """Whether the files of a folder are pages of memory."""
    mounts = {one.mountpoint: one.fstype for one in psutil.disk_partitions(all=True)}
    path = Path(folder).resolve()
    mounted = next(str(one) for one in (path, *path.parents) if str(one) in {*mounts, "/"})
    return mounts.get(mounted) in ("tmpfs", "ramfs")


def _phases(answer: dict[str, Any], meter: Meter) -> dict[str, tuple[int, int]]:
    """Those of the worker; of a tree, which may peak at another time, the whole as well."""
    phases = {shape: tuple(marks) for shape, marks in answer.get("phases", {}).items()}
    if phases and not meter.alone:
        phases["children"] = (answer.get("baseline") or 0, meter.tree_peak)
    return phases


def _outcome(job: WorkerJob, status: int, answer: dict[str, Any], meter: Meter) -> tuple[str, str]:
    if "failure" in answer:
        return RAISED, answer["failure"]
    if not answer:
        if status == -signal.SIGKILL and (container := meter.was_killed_for_memory()):
            return MACHINE_SHORT, f"{container} ran out of memory"
        if status < 0:
            return KILLED, f"its process was killed by {signal.Signals(-status).name}"
        return KILLED, f"its process exited with status {status} and without an answer"
    if any(done == job.reverse for done in answer["applied"]):
        verb = "unapplied" if job.reverse else "applied"
        return RAISED, f"manage.py migrate ended, yet the migration is not {verb}"
    return FINISHED, ""


def _add_overflow(answer: dict[str, Any], lines: list[str]) -> None:
    """Add what children have logged; see StatementLog."""
    records: dict[str, list[Any]] = {}
    facts = answer.setdefault("facts", {})
    for line in lines:
        try:
            kind, *rest = json.loads(line)
        except ValueError:  # the child was killed while it wrote
            continue
        if kind == "statement":
            name, text, values = rest
            records[name] = [text, values, 0, 0, 0, False]
        elif kind == "count":
            name, *counts = rest
            records[name][2:] = [
                old + new for old, new in zip(records[name][2:], counts, strict=True)
            ]
        else:
            facts[kind] = facts.get(kind, 0) + 1
    answer.setdefault("statements", []).extend(records.values())


def _accessed(job: WorkerJob, answer: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a run that follow from its statements."""
    if not answer.get("statements"):
        return {}
    from pytest_membudget.processes.worker.accesses import Accesses

    vendor, schemas = answer.get("vendor", ""), answer.get("facts", {}).get("schemas", ())
    accesses = Accesses(TableNames(job.tables, vendor, schemas), vendor)
    for text, values, *counts in answer["statements"]:
        by_position = None if values is None else {int(at): one for at, one in values.items()}
        accesses.add((text, by_position, *counts))
    return accesses.of_run()
