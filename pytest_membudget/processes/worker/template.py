"""A process that has done what ``manage.py migrate`` does before it opens a connection.

Each run is a copy of it, made by fork(2): starting Python and loading the project, which takes
seconds in a large one, is done once.  A copy weighs what a process weighs that has started by
itself; where it would not, or where the project can't be copied safely, there is none.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

from pytest_membudget.database.target import PENDING, Target
from pytest_membudget.processes.bootstrap import keep_channel, signal_when_closed
from pytest_membudget.processes.messages.job import WorkerJob, read_job
from pytest_membudget.processes.redirection import children, drivers, install
from pytest_membudget.processes.redirection.settings import rename
from pytest_membudget.processes.worker.high_water import memory
from pytest_membudget.processes.worker.main import AtExit, carry_out
from pytest_membudget.processes.worker.migrate import Migrate
from pytest_membudget.processes.worker.receivers import connected
from pytest_membudget.processes.worker.resident import file_pages, map_pages
from pytest_membudget.project.settings import load_settings

# How much a copy may weigh more or less.
_EQUAL = 512 * 1024


def main() -> None:
    target = Target.read(sys.stdin.readline().rstrip("\n"))
    null = os.open(os.devnull, os.O_RDONLY)
    signal_when_closed(keep_channel(0, null), -os.getpgrp())
    os.close(null)
    last = AtExit()
    try:
        receivers = _load(target)
        pages = file_pages()
        unfit = _unfit(target, pages)
    except BaseException as error:  # a worker that starts by itself raises it as well
        unfit = f"it raised {type(error).__name__}"
    _write(f"{target.file}.ready", unfit)
    if unfit:
        return
    started_with = memory()["peak"]
    # Orders on the channel would be signals.
    with open(f"{target.file}.orders") as orders:  # noqa: PTH123
        while order := orders.readline():
            sys.stdout.flush()
            job = read_job(order)
            copy = os.fork()
            if not copy:
                _become_worker(job, target, pages)
                carry_out(Migrate(job, target, started_with, receivers), job, last)
                return
            _, status = os.waitpid(copy, 0)
            missing = _imported_later(Path(job.beginning))
            _write(job.ended, str(status))
            if missing:
                for name in missing:
                    with suppress(ImportError):  # the next copy imports it by itself
                        import_module(name)
                pages, started_with = file_pages(), memory()["peak"]
    os._exit(0)


def _load(target: Target) -> list[Any]:
    """Load the project and its migrations; return the receivers that were connected in between."""
    install(target)
    settings = load_settings()
    import django

    django.setup()
    from django.core.management import get_commands, load_command_class

    load_command_class(get_commands()["migrate"], "migrate")
    # The checks before a migration import it.
    if urls := getattr(settings, "ROOT_URLCONF", None):
        import_module(urls)
    receivers = connected()
    from django.db.migrations.loader import MigrationLoader

    MigrationLoader(None, load=False).load_disk()
    return receivers


def _imported_later(beginning: Path) -> list[str]:
    """The modules of Django that a copy had imported when its migration began, as the checks of the
    project do, and that the next copy may as well have from here.

    Python lists one after those that it imports.  To import it first, as the copy did, also works
    where these import it.
    """
    names = beginning.read_text().split() if beginning.exists() else []
    return [name for name in reversed(names) if name not in sys.modules]


def _unfit(target: Target, pages: list[tuple[int, int]]) -> str:
    """Why there can be no copies of this process; empty where there can."""
    if target.used:
        return "it has opened a database"
    if type(os.fork) is not BuiltinFunctionType:  # as gevent does
        return "it replaces os.fork"
    if drivers.made:
        return "it has made temporary files, which the first copy would remove"
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return "it has started threads"
    with suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return "it has started processes"
    weight = memory()["rss"]
    copy = os.fork()
    if not copy:
        differs = True
        try:
            map_pages(pages)
            differs = abs(memory()["rss"] - weight) > _EQUAL
        finally:
            os._exit(differs)
    _, status = os.waitpid(copy, 0)
    return "its copies have another weight" if status else ""


def _become_worker(job: WorkerJob, target: Target, pages: list[tuple[int, int]]) -> None:
    output = os.open(job.output, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    map_pages(pages)
    target.become(Target.read(job.target))
    children.complete(os.environ, target)
    rename(load_settings().DATABASES, PENDING, target.name)


def _write(path: str, text: str) -> None:
    """Write a file that is whole as soon as it is there."""
    unfinished = Path(f"{path}.part")
    unfinished.write_text(text)
    unfinished.replace(path)
