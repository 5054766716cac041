"""A database cluster of PostgreSQL in a folder, and the server that is started on it."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_membudget.database.programs import Programs
from pytest_membudget.errors import ServerError

SUPERUSER = "postgres"
# Nothing in it is worth a wait for a disk.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_READY = ("ready", "standby")
_LOOK_EVERY = 0.02
_STOP_SECONDS = 10.0
# PostgreSQL refuses to run as root.
_UNPRIVILEGED = "nobody"


class Cluster:
    """``folder`` is an empty one that has to be enterable for :func:`unprivileged`."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._log = folder / "log"
        self._identity: dict[str, Any] = {}
        self._programs = programs.folder
        if user := unprivileged():
            self._programs = programs.for_another_user(folder)
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def initialize(self, *options: str) -> None:
        """Raises ServerError."""
        command = [
            self._programs / "initdb",
            *("-D", self.data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--no-sync"),
            *options,
        ]
        if self._run(command, subprocess.run).returncode:
            raise self._error("initdb failed")

    def start(
        self, settings: Mapping[str, str], before_exec: Callable[[], None] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a server and wait until it accepts connections.  Raises ServerError.

        It has a session of its own, so Ctrl-C does not reach it.
        """
        command = [self._programs / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        server: subprocess.Popen[bytes] = self._run(
            command, subprocess.Popen, preexec_fn=before_exec, start_new_session=True
        )
        while self._status() not in _READY:
            if server.poll() is not None:
                raise self._error("the server did not start")
            time.sleep(_LOOK_EVERY)
        return server

    def _run(self, command: list[Any], run: Callable[..., Any], **more: Any) -> Any:
        """Run a program of PostgreSQL without the settings of its clients."""
        environment = {name: os.environ[name] for name in os.environ if name[:2] != "PG"}
        with self._log.open("ab") as log:
            return run(
                command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._identity,
                **more,
            )

    def _status(self) -> str:
        """See the source of PostgreSQL, pidfile.h: what its own pg_ctl waits for."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
        except (OSError, IndexError):
            return ""

    def _error(self, what: str) -> ServerError:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        last = f": {lines[-1]}" if lines else ""
        return ServerError(f"PostgreSQL: {what}{last}", "\n".join(lines))


def stop(server: subprocess.Popen[bytes]) -> None:
    """End it without a checkpoint: what it holds is not used again."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def unprivileged() -> pwd.struct_passwd | None:
    """The user that the server runs as, where it can't be this one."""
    return None if os.geteuid() else pwd.getpwnam(_UNPRIVILEGED)
