"""Start a child program of this package, and end it with everything that it started."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

# Each would change the memory of the measured process, or load pytest's plugins into it.
_NOT_INHERITED = (
    "COV_CORE_",
    "COVERAGE_",
    "PYTEST_",
    "PYTHONASYNCIODEBUG",
    "PYTHONDEVMODE",
    "PYTHONFAULTHANDLER",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONTRACEMALLOC",
    "PYTHONWARNINGS",
)

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop());"
    "from pytest_membudget.processes.{module} import main; main()"
)
_SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
_KILL_SECONDS = 5.0
# A database server process may have to cancel a statement and to drop databases.
GRACE_SECONDS = 10.0


def start_worker(module: str = "worker.main", enter: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a worker, with all of its output in one pipe; see :func:`_start`.

    ``enter`` is put before its command, as of a ControlGroup.
    """
    return _start(["worker", "0", *enter, *_command(module)], subprocess.STDOUT)


def start_server(
    alias: str, embedded: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a database server process, and what cleans up where it can't do that itself.

    ``embedded`` is that of a Target.
    """
    cleanup = _command("server.cleanup", alias, json.dumps(embedded))
    return _start_with(_command("server.main"), cleanup, log)


def start_embedded(version: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the program that has an embedded PostgreSQL server as its child."""
    return _start_with(_command("embedded.main", version), _command("embedded.cleanup"), log)


def _start_with(command: list[str], cleanup: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return _start(["server", str(GRACE_SECONDS), *command, "--", *cleanup], log)


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", _START.format(module=module), *arguments, json.dumps(sys.path)]


def _start(arguments: list[str], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a supervisor with the program below it; the status of the process is the program's.

    It is started with ``exec``, since a forked child would begin with this process's high-water
    mark; see ``VmHWM`` in proc(5).  It has a session of its own, so Ctrl-C reaches only this
    process, which ends the child.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _SUPERVISOR, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**inherited(), "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )


def inherited() -> dict[str, str]:
    """The part of this process's environment that its children get."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }


def send(process: subprocess.Popen[bytes], line: str) -> None:
    """Write a line to the child's standard input, which stays open as its lifeline."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    process.stdin.flush()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker and all that it started; harmless when all of it has ended."""
    close_stream(process.stdin)  # the supervisor kills them
    try:
        process.wait(_KILL_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    child.kill()
        process.kill()
        process.wait()


def close_stream(stream: IO[bytes] | None) -> None:
    """Close this end of a child's pipe; one that the child has closed already is no error."""
    if stream is not None:
        with contextlib.suppress(BrokenPipeError):
            stream.close()
