"""What the child programs do first."""

from __future__ import annotations

import fcntl
import os


def signal_when_closed(lifeline: int, receiver: int) -> None:
    """Have the kernel send SIGIO to ``receiver`` when the other end of ``lifeline`` closes.

    A negative receiver is a process group.  SIGIO's default action needs no thread, no handler
    and no GIL, so it also ends a worker that hangs in C code after its parent was killed.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, receiver)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def keep_channel(fd: int, replacement: int) -> int:
    """Move a standard stream's descriptor away, so that user code can't reach the channel on it."""
    kept = os.dup(fd)
    os.dup2(replacement, fd)
    return kept
