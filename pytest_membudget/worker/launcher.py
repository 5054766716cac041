"""Run the worker once: watch its memory from outside, stop it when need be, say how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_membudget import measurement
from pytest_membudget.measurement import Run
from pytest_membudget.worker.meter import Meter
from pytest_membudget.worker.process import close_streams, kill_group, send, start
from pytest_membudget.worker.redirection.target import Target

_INTERVAL = 0.01
_OUTPUT_KEPT = 64 * 1024


@dataclass(frozen=True)
class Order:
    """What one worker has to do.

    ``targets`` are the arguments of ``manage.py migrate``; ``migrations`` are the keys that it
    has to leave applied (unapplied, when ``reverse``).  ``mark`` is in each of the run's databases,
    see redirection.  ``stop_above`` is the RSS in bytes from
    which on the verdict is certain; ``deadline`` seconds.  ``aid`` is what accompanies
    a run that is not a measurement, see aid.py.
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


def run(order: Order) -> Run:
    """Apply the migration in a fresh process."""
    with tempfile.TemporaryDirectory(dir=order.folder) as folder:
        reply, overflow = Path(folder, "reply.json"), Path(folder, "rows")
        target = Target(
            order.alias, order.name, order.mark, order.folder, str(Path(folder, "target.json"))
        )
        process = start("apply_main", subprocess.PIPE, subprocess.STDOUT)
        output = _Output(process)
        meter = Meter(process.pid)
        try:
            request = {
                "alias": order.alias,
                "target": target.file,
                "tables": order.tables,
                "targets": order.targets,
                "migrations": order.migrations,
                "reply": str(reply),
                "overflow": str(overflow),
                "aid": order.aid,
            }
            target.write()
            begin = time.monotonic()
            with contextlib.suppress(BrokenPipeError):
                send(process, request)
            stopped = _watch(process, meter, order, begin)
        finally:
            kill_group(process)
            meter.end_children()
            printed = output.text()
            if not output.open:
                close_streams(process)
        answer = json.loads(reply.read_text()) if reply.exists() else {}
        _add_overflow(answer, overflow)
        elapsed = time.monotonic() - begin
        done = _conclude(order, process, meter, answer, stopped, printed, elapsed)
        return replace(done, refused=tuple(target.refusals()))


def _watch(
    process: subprocess.Popen[bytes],
    meter: Meter,
    order: Order,
    begin: float,
) -> str | None:
    while process.poll() is None:
        now = meter.look()
        if now > order.stop_above:
            return measurement.OVER_LIMIT
        if meter.machine_is_short():
            return measurement.MACHINE_SHORT
        if time.monotonic() - begin > order.deadline:
            return measurement.TIMED_OUT
        time.sleep(_INTERVAL)
    return None


def _conclude(
    order: Order,
    process: subprocess.Popen[bytes],
    meter: Meter,
    answer: dict[str, Any],
    stopped: str | None,
    output: str,
    elapsed: float,
) -> Run:
    outcome, failure = _outcome(order, process.returncode, answer, stopped)
    alone = meter.processes == 1
    own_peak = answer.get("peak", meter.rss_peak)
    return Run(
        outcome=outcome,
        peak=own_peak if alone else max(own_peak, meter.tree_peak),
        baseline=answer.get("baseline"),
        anonymous=answer.get("anonymous") if alone else None,
        duration=answer.get("duration", elapsed),
        startup=max(0.0, elapsed - answer.get("duration", elapsed)),
        phases=_phases(answer, meter),
        processes=meter.processes,
        peak_source=("VmHWM" if "peak" in answer else "sampled RSS") if alone else "sampled PSS",
        read=answer.get("read", {}),
        written=answer.get("written", {}),
        filters=answer.get("filters", {}),
        unmatched=answer.get("unmatched", {}),
        went_to=answer.get("went_to", {}),
        not_run=tuple((label, why) for label, why in answer.get("not_run", [])),
        timeline=meter.timeline(),
        facts=answer.get("facts", {}),
        observed=answer.get("observed", {}),
        failure=failure,
        details=answer.get("details", "") or output,
    )


def _phases(answer: dict[str, Any], meter: Meter) -> dict[str, tuple[int, int]]:
    """Those of the worker; with children, whose tree may peak at another time, theirs as well."""
    phases = {shape: tuple(marks) for shape, marks in answer.get("phases", {}).items()}
    if phases and meter.processes > 1:
        phases["children"] = (answer.get("baseline") or 0, meter.tree_peak)
    return phases


def _outcome(
    order: Order, status: int, answer: dict[str, Any], stopped: str | None
) -> tuple[str, str]:
    if stopped == measurement.TIMED_OUT:
        return stopped, f"it had not ended after {order.deadline:.0f} s"
    if stopped is not None:
        return stopped, stopped
    if "failure" in answer:
        return measurement.RAISED, answer["failure"]
    if not answer:
        if status < 0:
            return measurement.KILLED, f"its process was killed by {signal.Signals(-status).name}"
        return measurement.KILLED, f"its process exited with status {status} and without an answer"
    if any(done == order.reverse for done in answer["applied"]):
        verb = "unapplied" if order.reverse else "applied"
        return measurement.RAISED, f"manage.py migrate ended, yet the migration is not {verb}"
    return measurement.FINISHED, ""


def _add_overflow(answer: dict[str, Any], overflow: Path) -> None:
    if not overflow.exists() or not answer:
        return
    for line in overflow.read_text().splitlines():
        kind, rows, table = line.split(" ", 2)
        if kind == "went":
            name, columns = json.loads(table)
            answer.setdefault("went_to", {}).setdefault(name, []).append(columns)
            continue
        counts = Counter(answer.get(kind, {}))
        counts[table] += int(rows)
        answer[kind] = dict(counts)


class _Output:
    """Drain what the worker prints, so that it never blocks, and keep the end of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        assert self._process.stdout is not None
        while chunk := os.read(self._process.stdout.fileno(), 8192):
            self._kept.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._kept[0]) > _OUTPUT_KEPT:
                self._size -= len(self._kept.popleft())

    @property
    def open(self) -> bool:
        """Whether a process that outlived the worker still holds the other end."""
        return self._thread.is_alive()

    def text(self) -> str:
        self._thread.join(timeout=1)
        return b"".join(self._kept).decode(errors="replace")
