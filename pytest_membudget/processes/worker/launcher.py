"""Run the worker once: watch its memory from outside, and stop it when need be."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from pytest_membudget.database.target import Target
from pytest_membudget.processes.child import close_stream, kill, send, start_worker
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.job import WorkerJob
from pytest_membudget.processes.worker.meter import Meter
from pytest_membudget.processes.worker.outcome import Ended, Launch, outcome_of, read_reply
from pytest_membudget.sample import Outcome, Run
from pytest_membudget.sample.lesson import FILE_NAME

_INTERVAL = 0.01
_OUTPUT_KEPT = 64 * 1024
# A PNG of one pixel.
_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63"
    "6000000002000148afa4710000000049454e44ae426082"
)


def run(launch: Launch) -> Run:
    """Apply the migration in a fresh process."""
    with tempfile.TemporaryDirectory(dir=launch.folder) as folder:
        target = Target(
            launch.alias,
            launch.name,
            launch.mark,
            launch.folder,
            file=str(Path(folder, "target.json")),
            statements=str(Path(folder, "statements")),
        )
        job = WorkerJob(
            targets=launch.targets,
            migrations=launch.migrations,
            target=target.file,
            reply=str(Path(folder, "reply.json")),
            probes=launch.probes,
            media=media_files(Path(folder, "media")) if launch.files else "",
        )
        process = start_worker()
        output = _Output(process)
        meter = Meter(process.pid, Path(job.beginning))
        try:
            target.write()
            begin = time.monotonic()
            with contextlib.suppress(BrokenPipeError):
                send(process, encode(job))
            stopped = _watch(process, meter, launch, begin, Path(job.unfinished_reply))
        finally:
            kill(process)
            meter.close()
            printed = output.text()
            if not output.open:
                close_stream(process.stdout)
        ended = Ended(
            reply=read_reply(Path(job.reply), Path(target.statements)),
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
    """Wait for the end; return the outcome and the failure of a run that was stopped.

    ``applied`` is a file that exists once the migration is applied.
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


class _Output:
    """Drain what the worker prints, so that it never blocks, and keep the end of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._kept = bytearray()
        self._cut = False
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        assert self._process.stdout is not None
        while chunk := os.read(self._process.stdout.fileno(), 8192):
            self._kept += chunk
            self._cut |= len(self._kept) > _OUTPUT_KEPT
            del self._kept[:-_OUTPUT_KEPT]

    @property
    def open(self) -> bool:
        """Whether a process that outlived the worker still holds the other end."""
        return self._thread.is_alive()

    def text(self) -> str:
        self._thread.join(timeout=1)
        text = self._kept.decode(errors="replace")
        # The rest of a secret that was cut in two would not be recognised.
        return text.partition("\n")[2] if self._cut else text


def media_files(folder: Path) -> str:
    """A folder with the files that a lesson's FILE names: a picture, and a short text."""
    folder.mkdir()
    (folder / f"{FILE_NAME}.png").write_bytes(_PICTURE)
    (folder / f"{FILE_NAME}.pdf").write_bytes(b"%PDF-1.4 generated by pytest-membudget\n")
    return str(folder)
