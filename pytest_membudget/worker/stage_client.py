"""The pytest process's end of the stage: one order at a time, waited for or not."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import tempfile
from typing import IO, Any

from pytest_membudget.errors import StageError
from pytest_membudget.worker.process import close_streams, kill_group, send, start

_CLEANUP_SECONDS = 60.0
# A step of the stage is a walk through the migrations or the seeding of one sample.
_ORDER_SECONDS = 900.0


class StageClient:
    """Starts the stage's process and gives it orders.

    ``call`` waits for the answer; ``begin`` doesn't, and has to be followed by ``finish`` before
    the next order.  Raises StageError where an order failed.
    """

    def __init__(self, alias: str) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, open as long as the process
        self._process = start("stage_main", subprocess.PIPE, self._log)
        self._pending = False
        # What a process weighs that applies nothing, and with how many models; see schema_only.py.
        self.idle: tuple[int, int] | None = None
        try:
            self._send({"alias": alias})
            hello = self.finish()
        except BaseException:
            self.close()
            raise
        self.folder: str = hello["folder"]
        self.mark: str = hello["mark"]
        self.vendor: str = hello["vendor"]
        self.version: str = hello["version"]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(self, do: str, **arguments: Any) -> Any:
        self.begin(do, **arguments)
        return self.finish()

    def begin(self, do: str, **arguments: Any) -> None:
        assert not self._pending, "one order at a time"
        self._send({"do": do, **arguments})

    def finish(self) -> Any:
        """Wait for the answer to the order under way."""
        stdout = self._process.stdout
        assert stdout is not None
        try:
            if not select.select([stdout], [], [], _ORDER_SECONDS)[0]:
                raise StageError(f"a scratch database took more than {_ORDER_SECONDS:.0f} s")
            line = stdout.readline()
        except BaseException:
            # Nobody will ask for the answer any more, so the next order would get it.
            self.close()
            raise
        self._pending = False
        if not line:
            raise self._died("ended")
        answer = json.loads(line)
        if "failed" in answer:
            raise StageError(answer["failed"], answer["details"])
        return answer["done"]

    def close(self) -> None:
        """Close its input, which makes it drop all that it made, and wait for that."""
        close_streams(self._process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLEANUP_SECONDS)
        kill_group(self._process)
        self._log.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            send(self._process, message)
        except BrokenPipeError:
            raise self._died("ended") from None
        self._pending = True

    def _died(self, how: str) -> StageError:
        self._pending = False
        status = self._process.wait()
        self._log.seek(0)
        output = self._log.read().decode(errors="replace")
        return StageError(f"the process that makes scratch databases {how} ({status})", output)


class Stages:
    """The stages of one run, one an alias, each started when it is first needed."""

    def __init__(self) -> None:
        self._started: dict[str, StageClient] = {}

    def get(self, alias: str) -> StageClient:
        """A stage that works; one that died is replaced, since the next check may do better."""
        stage = self._started.get(alias)
        if stage is not None and not stage.alive:
            stage.close()
        if stage is None or not stage.alive:
            stage = self._started[alias] = StageClient(alias)
        return stage

    def close(self) -> None:
        for stage in self._started.values():
            stage.close()
        self._started.clear()
