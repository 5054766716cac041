"""Coverage of this process, kept in memory until its end: see .ci/coverage.

coverage.py's own file is a SQLite database, which the processes under test refuse to open.
"""

from __future__ import annotations

import atexit
import os
import sys
import uuid
from pathlib import Path

import coverage


def start(folder: str) -> None:
    measured = coverage.Coverage(data_file=None, config_file=f"{folder}/pyproject.toml")
    measured.start()
    leave = os._exit

    def save() -> None:
        measured.stop()
        Path(folder, "coverage", uuid.uuid4().hex).write_bytes(measured.get_data().dumps())

    def save_and_leave(status: int) -> None:
        try:
            save()
        finally:
            leave(status)

    atexit.register(save)
    os._exit = save_and_leave  # type: ignore[assignment]


def combine(folder: str) -> None:
    """Make the file that ``coverage report`` reads."""
    whole = coverage.CoverageData(f"{folder}/.coverage")
    for path in Path(folder, "coverage").iterdir():
        part = coverage.CoverageData(no_disk=True)
        part.loads(path.read_bytes())
        whole.update(part)
    whole.write()


if __name__ == "__main__":
    combine(sys.argv[1])
