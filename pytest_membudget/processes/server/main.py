"""The database server process: takes orders until its parent is gone, then cleans up.

It outlives the pytest process by a moment, so that nothing is left behind when that is killed.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import warnings
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from pytest_membudget.database.error_text import message, traceback_of
from pytest_membudget.database.folder import RunFolder, remove_dead_folders
from pytest_membudget.database.target import Target
from pytest_membudget.errors import MembudgetError, NoRoom
from pytest_membudget.processes.bootstrap import keep_channel, signal_when_closed
from pytest_membudget.processes.messages.codec import encode
from pytest_membudget.processes.messages.server import (
    ORDERS,
    Answer,
    Done,
    Failed,
    Left,
    Progress,
    Start,
)
from pytest_membudget.processes.redirection import install
from pytest_membudget.processes.server.inputs import Inputs
from pytest_membudget.processes.supervisor import CLEANED
from pytest_membudget.project.secrets import known_secrets
from pytest_membudget.project.settings import load_settings

if TYPE_CHECKING:
    from pytest_membudget.database.scratch.base import ScratchDatabases
    from pytest_membudget.processes.server.commands import DatabaseServer


class _ParentGone(KeyboardInterrupt):
    """The pytest process has ended, asked or killed.

    A KeyboardInterrupt, because psycopg cancels the statement that it interrupts only for that.
    """


def main() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    lines = os.fdopen(keep_channel(0, null))
    replies = os.fdopen(keep_channel(1, 2), "w")
    _raise_when_closed(lines)
    names: list[str] = []
    with suppress(Exception), ExitStack() as cleanup:
        _take_orders(lines, replies, names, cleanup)
        _handle_both(signal.SIG_IGN)
    with suppress(BrokenPipeError):
        _send(replies, Left(names))
    # Projects remove their temporary files so.
    with suppress(BaseException):
        atexit._run_exitfuncs()
    # A thread that a migration has left behind would keep it from ending.
    os._exit(0 if names else CLEANED)


def _take_orders(lines: IO[str], replies: IO[str], names: list[str], cleanup: ExitStack) -> None:
    """Take orders until the parent is gone; ``names`` are those of the databases that exist."""
    server: DatabaseServer | None = None
    with suppress(_ParentGone, BrokenPipeError):
        for line in lines:
            answer: Done | Failed
            try:
                order = ORDERS.decode(line)
                server = server or _open(order, names, replies, cleanup)
                answer = Done(server.answer(order), names)
            except Exception as error:
                answer = _failure(error, names)
            _send(replies, answer)
            if server is None:
                return


def _open(order: Start, names: list[str], replies: IO[str], cleanup: ExitStack) -> DatabaseServer:
    """Set the project up with its alias connected to an empty scratch database."""
    folder = make_folder(cleanup)
    inputs = Inputs(str(folder))
    with inputs.variables_recorded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django's, of a connection before the apps are ready
        scratch = open_scratch(order.alias, order.embedded, folder, cleanup)
        scratch.names = names
        with inputs.paused():
            for name in scratch.leftovers():
                scratch.drop_soon(name)
            keeps = bool(order.cache) and scratch.can_be_kept
        empty = scratch.create()
        scratch.use(empty)

    import django

    with inputs.variables_recorded():
        django.setup()

    from pytest_membudget.processes.server.commands import DatabaseServer
    from pytest_membudget.processes.server.state_cache import StateCache

    cache = None
    if keeps:
        cache = StateCache(order.cache, scratch, inputs)
    return DatabaseServer(scratch, empty, lambda step: _send(replies, Progress(step)), cache)


def make_folder(cleanup: ExitStack) -> Path:
    """Make a run folder; those of dead runs are removed."""
    folder = RunFolder()
    cleanup.callback(folder.close)
    remove_dead_folders()
    return folder.path


def open_scratch(
    alias: str, embedded: Mapping[str, str], folder: Path, cleanup: ExitStack
) -> ScratchDatabases:
    """Redirect the settings to scratch databases in the run's ``folder``; there are none yet.

    It must run before any code of the project.  Every alias but ``alias`` is closed.  ``embedded``
    is that of a Target.
    """
    file = str(folder / "target.json")
    target = Target(alias, None, "", str(folder), file, embedded=embedded)
    target.write()
    install(target)
    settings = load_settings()
    # A pool would hand out sessions of the scratch database before.
    settings.DATABASES[alias]["OPTIONS"].pop("pool", None)

    from django.db import connections

    from pytest_membudget.database.scratch import check_vendor, scratch_databases

    check_vendor(alias, connections[alias])
    scratch = scratch_databases(connections[alias], folder, target)
    cleanup.callback(scratch.close)
    return scratch


def _raise_when_closed(lines: IO[str]) -> None:
    poll = select.poll()
    poll.register(lines, 0)

    def on_io(*_: object) -> None:
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            raise _ParentGone

    def on_term(*_: object) -> NoReturn:
        raise _ParentGone

    signal.signal(signal.SIGIO, on_io)
    signal.signal(signal.SIGTERM, on_term)
    # A pool that a migration starts ends its workers with SIGTERM, which has to end them.
    os.register_at_fork(after_in_child=lambda: _handle_both(signal.SIG_DFL))
    signal_when_closed(lines.fileno(), os.getpid())


def _handle_both(handler: signal.Handlers) -> None:
    for number in (signal.SIGIO, signal.SIGTERM):
        signal.signal(number, handler)


def _failure(error: Exception, names: list[str]) -> Failed:
    text, details = str(error), getattr(error, "details", "")
    if not isinstance(error, MembudgetError):
        text, details = f"{type(error).__name__}: {message(error)}", traceback_of(error)
    from pytest_membudget.database.scratch.errors import cure_of

    cure = cure_of(error)
    if cure is not None and cure not in text:
        text = f"{text.rstrip()}; {cure}"
    hide = known_secrets().hide
    return Failed(hide(text), hide(details), no_room=isinstance(error, NoRoom), names=names)


def _send(replies: IO[str], answer: Answer) -> None:
    replies.write(encode(answer) + "\n")
    replies.flush()
