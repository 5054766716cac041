"""A memory control group of one's own, of version 1 or 2, in which the kernel is the judge."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class NoControlGroup(Exception):
    """Why none can be made here."""


@dataclass(frozen=True)
class ControlGroup:
    folder: Path
    limit_file: str

    def call(self, command: Sequence[str | Path], limit: int, environment: dict[str, str]) -> int:
        """Run a command under ``limit`` bytes; its exit status, -9 where the kernel killed it."""
        (self.folder / self.limit_file).write_text(str(limit))
        enter = 'echo $$ > "$0" && exec "$@"'
        return subprocess.run(
            ["sh", "-c", enter, self.folder / "cgroup.procs", *command],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode


@contextmanager
def control_group() -> Iterator[ControlGroup]:
    """A fresh group, gone afterwards.  Raises NoControlGroup with the reason."""
    version_2 = (_ROOT / "cgroup.controllers").exists()
    parent = _ROOT if version_2 else _ROOT / "memory"
    folder = parent / f"membudget-{os.getpid()}"
    try:
        if version_2:
            (parent / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
    except OSError as error:
        raise NoControlGroup(f"no memory control group can be made in {parent}: {error}") from None
    try:
        yield ControlGroup(folder, "memory.max" if version_2 else "memory.limit_in_bytes")
    finally:
        folder.rmdir()
