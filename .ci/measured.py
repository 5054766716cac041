"""Which lines and branches of the package this process runs, kept until its end: see .ci/coverage.

Only the package's modules are instrumented, so that Django and pytest run at their usual speed:
the tracer of coverage.py sees every line of them, and the tests take twenty times as long.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import uuid
from pathlib import Path

from slipcover import Slipcover
from slipcover.importer import FileMatcher, ImportManager

_EXCLUDED = ("if TYPE_CHECKING:", "raise NotImplementedError", "assert_never", "@abstractmethod")


def start(folder: str) -> None:
    measured = Slipcover(branch=True, exclude_lines=[])
    package = Path(folder, "pytest_membudget")
    ImportManager(measured, FileMatcher(sources=[package])).__enter__()
    leave = os._exit

    def save() -> None:
        text = json.dumps(measured.get_coverage()["files"])
        Path(folder, "coverage", uuid.uuid4().hex).write_text(text)

    def save_and_leave(status: int) -> None:
        try:
            save()
        finally:
            leave(status)

    atexit.register(save)
    os._exit = save_and_leave  # type: ignore[assignment]


def report(folder: Path) -> None:
    """Print what no process of the tests has run."""
    whole = Slipcover(
        branch=True, source=[str(folder / "pytest_membudget")], exclude_lines=list(_EXCLUDED)
    )
    for path in folder.joinpath("coverage").iterdir():
        for file, seen in json.loads(path.read_text()).items():
            executed = (*seen["executed_lines"], *map(tuple, seen["executed_branches"]))
            whole.all_seen[str(folder / file)].update(executed)
    whole.print_coverage()


if __name__ == "__main__":
    report(Path(sys.argv[1]).resolve())
