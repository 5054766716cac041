"""Start a child program of this package, and end it with everything that it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import IO, Any

# Each would change what the measured process weighs, or drag pytest's world into it.
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
    "from pytest_membudget.worker.{module} import main; main()"
)


def start(module: str, stdout: int | IO[bytes], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start ``pytest_membudget.worker.<module>`` with ``exec``, in a process group of its own.

    A forked child would begin with this process's high-water mark; see ``VmHWM`` in proc(5).
    The group keeps Ctrl-C for the parent, which decides what the child still has to do.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return subprocess.Popen(
        [sys.executable, "-c", _START.format(module=module), json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env={**environment, "PYTHONHASHSEED": "0"},
        start_new_session=True,
    )


def send(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    """Write one line of JSON to the child's standard input, which stays open as its lifeline."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever is left of its group; harmless when all of it has ended."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def close_streams(process: subprocess.Popen[bytes]) -> None:
    """Close this end of the child's pipes; one that the child has closed already is no error."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
