"""The pytest process's end of the embedded server."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from pytest_membudget.errors import OutOfTime, ServerError
from pytest_membudget.processes.child import close_stream, start_embedded
from pytest_membudget.processes.lines import Lines
from pytest_membudget.units import format_seconds

NOT_EMBEDDED: Mapping[str, str] = {}
_START_SECONDS = 120.0


class EmbeddedServer:
    """The private PostgreSQL server of one run, started when first needed.

    ``version`` is one of those that find_programs() takes.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._process: subprocess.Popen[bytes] | None = None
        self._settings: Mapping[str, str] = NOT_EMBEDDED

    def settings(self) -> Mapping[str, str]:
        """Django's settings that lead to it.  One that has ended is replaced.

        Raises ServerError where it does not start.
        """
        if self._process is None or self._process.poll() is not None:
            with tempfile.TemporaryFile() as log:
                self._settings = self._start(log)
        return self._settings

    def close(self, seconds: float) -> None:
        """Stop it, and wait for its end for so long; it ends without that as well."""
        if self._process is not None:
            close_stream(self._process.stdin)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            close_stream(self._process.stdout)

    def _start(self, log: IO[bytes]) -> dict[str, str]:
        self._process = start_embedded(self._version, log)
        assert self._process.stdout is not None
        lines = Lines(self._process.stdout.fileno())
        try:
            line = lines.next(time.monotonic() + _START_SECONDS)
        except TimeoutError:
            raise OutOfTime(
                f"the embedded PostgreSQL server did not start in {format_seconds(_START_SECONDS)}"
            ) from None
        if line:
            return dict(json.loads(line))
        log.seek(0)
        *details, problem = log.read().decode(errors="replace").strip().splitlines() or ["", ""]
        raise ServerError(
            f"the embedded PostgreSQL server did not start: {problem}", "\n".join(details)
        )
