"""Run the worker once: watch its memory from outside, and stop it when need be."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pytest_membudget.database.target import Target
from pytest_membudget.processes.child import close_stream, kill, send, start_worker
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.job import WorkerJob
from pytest_membudget.processes.worker.launch import Launch
from pytest_membudget.processes.worker.main import unfinished_answer
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.processes.worker.outcome import Ended, outcome_of
from pytest_membudget.processes.worker.output import Output
from pytest_membudget.processes.worker.replies import read_reply
from pytest_membudget.sample import Outcome, Run

_INTERVAL = 0.01


def run(launch: Launch) -> Run:
    """Apply the migration in a fresh process."""
    with tempfile.TemporaryDirectory(dir=launch.folder) as folder:
        job = WorkerJob(
            alias=launch.alias,
            targets=launch.targets,
            migrations=launch.migrations,
            target=str(Path(folder, "target.json")),
            reply=str(Path(folder, "reply.json")),
            overflow=str(Path(folder, "rows")),
            probes=launch.probes,
        )
        target = Target(
            launch.alias,
            launch.name,
            launch.mark,
            launch.folder,
            job.target,
            statements=job.overflow,
        )
        process = start_worker(subprocess.PIPE, subprocess.STDOUT)
        output = Output(process)
        meter = Meter(process.pid)
        try:
            target.write()
            begin = time.monotonic()
            with contextlib.suppress(BrokenPipeError):
                send(process, encode(job))
            stopped = _watch(process, meter, launch, begin, unfinished_answer(job.reply))
        finally:
            kill(process)
            meter.close()
            printed = output.text()
            if not output.open:
                close_stream(process.stdout)
        ended = Ended(
            reply=read_reply(Path(job.reply), Path(job.overflow)),
            status=process.returncode,
            seconds=time.monotonic() - begin,
            stopped=stopped,
            output=printed,
        )
        return replace(outcome_of(launch, ended, meter), refused=tuple(target.refusals()))


def _watch(
    process: subprocess.Popen[bytes],
    meter: Meter,
    launch: Launch,
    begin: float,
    applied: Path,
) -> tuple[Outcome, str] | None:
    """Wait for the end; the outcome of a run that was stopped, and what to say about it.

    ``applied`` is a file that is there once the migration is applied.
    """
    while process.poll() is None:
        now = meter.look()
        if now > launch.stop_above:
            return Outcome.OVER_LIMIT, str(Outcome.OVER_LIMIT)
        if short := meter.shortage():
            return Outcome.MACHINE_SHORT, f"{short} ran short of memory"
        if meter.is_over():
            return None
        if time.monotonic() - begin > launch.deadline:
            text = f"it did not finish within {launch.deadline:.0f} s"
            if applied.exists():
                text += (
                    "; the migration is applied, but a thread or an atexit handler is still running"
                )
            return Outcome.TIMED_OUT, text
        time.sleep(_INTERVAL)
    return None
