"""The worker: apply migrations as ``manage.py migrate APP NAME`` does, then report the peak.

It imports as little as it can, because its imports are in the peak.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_membudget.database.target import Target
from pytest_membudget.processes.bootstrap import keep_channel, signal_when_closed
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.job import WorkerJob, read_job
from pytest_membudget.processes.redirection import install
from pytest_membudget.processes.worker.migrate import Migrate


def main() -> None:
    job = read_job(sys.stdin.readline())
    null = os.open(os.devnull, os.O_RDONLY)
    signal_when_closed(keep_channel(0, null), -os.getpgrp())
    os.close(null)
    last, target = AtExit(), Target.read(job.target)
    carry_out(Migrate(job, target), job, last, before=partial(install, target))


class AtExit:
    """Registered first, ``call`` is called last: after every thread, and every handler of the
    project.
    """

    def __init__(self) -> None:
        self.call: Callable[[], None] | None = None
        atexit.register(self._called)

    def _called(self) -> None:
        if self.call is not None:
            self.call()


def carry_out(
    migrate: Migrate, job: WorkerJob, last: AtExit, before: Callable[[], None] | None = None
) -> None:
    """Migrate; the answer follows at the end of this process."""
    worker = os.getpid()
    last.call = partial(_answer, worker, job, migrate)
    try:
        if before is not None:
            before()
        migrate.run()
        Path(job.unfinished_reply).touch()
    except BaseException as error:
        if os.getpid() != worker:  # a forked child goes its own way
            raise
        migrate.fail(error)
    migrate.ended = time.perf_counter()


def _answer(worker: int, job: WorkerJob, migrate: Migrate) -> None:
    """Write the answer at the end of the process, after the peak has been read, and exit."""
    if os.getpid() != worker:
        return
    reply = migrate.reply()
    unfinished = Path(job.unfinished_reply)
    unfinished.touch(mode=0o600)
    unfinished.write_text(encode(reply))
    unfinished.replace(job.reply)
    sys.stdout.flush()
    os._exit(0)
