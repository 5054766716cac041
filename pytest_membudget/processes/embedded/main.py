"""The program that has the embedded server as its child, until the pytest process is gone.

It writes the settings that lead to the server to its standard output, as a line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pytest_membudget.database.folder import RunFolder, remove_dead_folders
from pytest_membudget.database.programs import find_programs
from pytest_membudget.errors import MembudgetError
from pytest_membudget.processes.bootstrap import keep_channel
from pytest_membudget.processes.embedded.cluster import (
    QUICK,
    SUPERUSER,
    Cluster,
    stop,
    unprivileged,
)
from pytest_membudget.processes.supervisor import CLEANED

_SET_PDEATHSIG = 1  # linux/prctl.h
# Found here, since the user of the server may not be able to read Python's files.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
_PORT = "5432"
# The path of a socket has at most so many bytes, see unix(7); a folder has its name in between.
_LONGEST_SOCKET = 107
_NAMES = len(f"/membudget-12345678/server/.s.PGSQL.{_PORT}")
_LOOK_EVERY = 1000
_SETTINGS = {
    **QUICK,
    "listen_addresses": "",
    "port": _PORT,
    # Nothing is replicated, so a table that is made and filled in one transaction needs no log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_prepared_transactions": "4",
    # In the cluster's folder, which is removed; a container's /dev/shm is small.
    "dynamic_shared_memory_type": "mmap",
}


def main() -> None:
    os.umask(0o077)
    null = os.open(os.devnull, os.O_RDWR)
    lifeline = keep_channel(0, null)
    reply = keep_channel(1, 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as cleanup:
        try:
            server, settings = _start(sys.argv[1], cleanup)
        except (MembudgetError, OSError) as error:
            print(getattr(error, "details", ""), error, sep="\n", file=sys.stderr)
        else:
            os.write(reply, f"{json.dumps(settings)}\n".encode())
            _wait(lifeline, server)
    sys.stderr.flush()
    os._exit(CLEANED)


def _start(version: str, cleanup: ExitStack) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """The server, and Django's settings that lead to it."""
    remove_dead_folders()
    run = RunFolder(place())
    cleanup.callback(run.close)
    folder = run.path / "server"
    folder.mkdir()
    if unprivileged():  # which has to enter both
        run.path.chmod(0o711)
        folder.chmod(0o711)
    cluster = Cluster(find_programs(version), folder)
    # Of the users of this machine, only the one that runs the tests can connect.
    cluster.initialize("--auth=peer")
    user = pwd.getpwuid(os.geteuid()).pw_name
    (cluster.data / "pg_hba.conf").write_text("local all all peer map=membudget\n")
    (cluster.data / "pg_ident.conf").write_text(f'membudget "{user}" {SUPERUSER}\n')
    folders = {"unix_socket_directories": f'"{folder}"'}
    server = cluster.start({**_SETTINGS, **folders}, _end_with_this_process)
    cleanup.callback(stop, server)
    return server, {"HOST": str(folder), "PORT": _PORT, "USER": SUPERUSER, "PASSWORD": ""}


def place() -> str:
    """The system's temporary folder, or /tmp where a socket or another user can't be in that."""
    temporary = Path(tempfile.gettempdir())
    short = len(os.fsencode(temporary)) + _NAMES <= _LONGEST_SOCKET
    entered = (temporary, *temporary.parents)
    if short and (not unprivileged() or all(part.stat().st_mode & 0o001 for part in entered)):
        return str(temporary)
    return "/tmp"


def _end_with_this_process() -> None:
    if _PRCTL is not None:
        _PRCTL(_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _wait(lifeline: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the other end of ``lifeline`` closes, or the server has ended."""
    poll = select.poll()
    poll.register(lifeline, 0)
    while server.poll() is None and not poll.poll(_LOOK_EVERY):
        pass
