"""The parent of each child program, which ends all processes that the program has started.

Usage: ``supervisor.py KIND GRACE COMMAND... [-- CLEANUP...]``.  It runs COMMAND on its own standard
streams and ends as that does.  When standard input has closed, COMMAND may go on for ``GRACE``
seconds.  ``KIND`` is one of:

``worker``
    What the command leaves running stays until it has ended too, or until standard input closes.
``server``
    The command cleans up after itself when standard input closes.  What it leaves running is
    killed; CLEANUP runs where it did not exit with the status ``CLEANED``.

Orphans become children of this process (PR_SET_CHILD_SUBREAPER), those with a session of their own
included, so it can kill all of them.  It is a script that imports as little as it can, because one
is started for each sample.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # the module typing takes as long to import as all others
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

CLEANED = 64
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
# Where memory runs out, the kernel kills the worker first, then the database server process, and
# pytest last.
_OOM_SCORES = {"worker": "1000", "server": "500"}
_CLEANUP_SECONDS = 60.0
_KILL_EVERY = 0.01


def main() -> NoReturn:
    kind, grace, *arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    _set_process_option(_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGIO):
        signal.signal(number, signal.SIG_IGN)
    children = _Children()
    command = children.start(arguments[:end], kind)
    null = os.open(os.devnull, os.O_RDWR)
    # Their readers have to see when the command closes them; CLEANUP writes to standard error.
    for stream in (1,) if kind == "server" else (1, 2):
        os.dup2(null, stream)
    status = _supervise(children, command, kind, float(grace))
    cleanup = arguments[end + 1 :]
    if cleanup and os.waitstatus_to_exitcode(status) != CLEANED:
        cleaner = children.start(cleanup, kind)
        children.wait(lambda: cleaner in children.ended, _CLEANUP_SECONDS)
        children.kill()
    _end_as(status)


def _supervise(children: _Children, command: int, kind: str, grace: float) -> int:
    """Return the wait status of the command, once nothing that it started is left."""

    def is_over() -> bool:
        return children.none_left or (kind == "server" and command in children.ended)

    children.wait(is_over, None)
    if not is_over():  # standard input has closed
        children.wait(is_over, grace)
    children.kill()
    return children.ended[command]


class _Children:
    """The processes below this one.  ``ended`` has the wait status of each that has ended."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self.none_left = False
        self._woken, waking = os.pipe()
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def start(self, command: list[str], kind: str) -> int:
        """Start a program in a session of its own; it ends when this process does."""
        self.none_left = False
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGIO):
                signal.signal(number, signal.SIG_DFL)
            _set_process_option(
                _SET_PDEATHSIG, signal.SIGKILL if kind == "worker" else signal.SIGTERM
            )
            try:
                with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
                    file.write(_OOM_SCORES[kind])
            except OSError:
                pass
            os.execv(command[0], command)
        finally:
            os._exit(127)

    def wait(self, is_over: Callable[[], bool], seconds: float | None) -> None:
        """Wait until ``is_over()``; with no ``seconds`` also until standard input closes."""
        end = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if end is None:
            poll.register(0, 0)
        while True:
            self._reap()
            left = None if end is None else end - time.monotonic()
            if is_over() or (left is not None and left <= 0):
                return
            for fd, _ in poll.poll(None if left is None else 1000 * left):
                if fd == 0:
                    return
                os.read(self._woken, 4096)

    def kill(self) -> None:
        """Kill all of them: the children of one that ends become children of this process."""
        self._reap()
        while not self.none_left:
            for pid in _children_of(os.getpid()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
            self.wait(lambda: self.none_left, _KILL_EVERY)

    def _reap(self) -> None:
        try:
            while not self.none_left:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                self.ended[pid] = status
        except ChildProcessError:
            self.none_left = True


def _children_of(parent: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208, pathlib would be one more import
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(name))
    return found


def _set_process_option(option: int, value: int) -> None:
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux only
    if prctl is not None:
        prctl(option, value, 0, 0, 0)


def _end_as(status: int) -> NoReturn:
    """Exit with the status of the command, or by its signal, for whoever waits for this process."""
    if os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
