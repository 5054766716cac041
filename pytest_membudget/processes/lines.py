"""What a child process writes to a pipe, line by line and for so long."""

from __future__ import annotations

import os
import select
import time


class Lines:
    """The lines of a pipe, read without the buffer of a file, which would hide them from poll()."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = b""

    def next(self, until: float) -> bytes:
        """The next line; empty at the end.  TimeoutError where there is none by ``until``."""
        while b"\n" not in self._buffer:
            if not self._poll(max(0.0, until - time.monotonic())):
                raise TimeoutError
            chunk = os.read(self._fd, 1 << 16)
            if not chunk:
                return b""
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def at_end(self) -> bool:
        """Whether the other end is closed and nothing is left to be read."""
        return not self._buffer and self._poll(0) == select.POLLHUP

    def _poll(self, seconds: float) -> int:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return dict(poll.poll(1000 * seconds)).get(self._fd, 0)
