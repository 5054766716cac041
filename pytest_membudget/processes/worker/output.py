"""What the worker prints."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque

_OUTPUT_KEPT = 64 * 1024


class Output:
    """Drain what the worker prints, so that it never blocks, and keep the end of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._cut = False
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        assert self._process.stdout is not None
        while chunk := os.read(self._process.stdout.fileno(), 8192):
            self._kept.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._kept[0]) > _OUTPUT_KEPT:
                self._size -= len(self._kept.popleft())
                self._cut = True

    @property
    def open(self) -> bool:
        """Whether a process that outlived the worker still holds the other end."""
        return self._thread.is_alive()

    def text(self) -> str:
        self._thread.join(timeout=1)
        text = b"".join(self._kept).decode(errors="replace")
        # The rest of a secret that was cut in two would not be recognised.
        return text.partition("\n")[2] if self._cut else text
