"""The results of a run that goes on, on disk for one that is killed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from msgspec import to_builtins

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import is_replaceable, part_of, write_text
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.document import document_of

_END = b"]}"


class ResultsSoFar:
    """The document at ``path``, which has each result as soon as it is added.

    Two copies take turns: a result is added to the one that nobody reads, which then replaces the
    other.  So ``path`` is whole at any time, and each result is written twice, however many there
    are.  What prevents it is said by the end of the run, which replaces both.
    """

    def __init__(self, path: str) -> None:
        self._path, self._spare = Path(path), part_of(Path(path))
        self._last: list[bytes] = []
        self._count = 0
        self._works = is_replaceable(self._path)
        if self._works:
            empty = json.dumps(to_builtins(document_of(())))
            try:
                write_text(path, empty)
                self._spare.write_text(empty)
            except (BudgetError, OSError):
                self._works = False

    def add(self, result: Result) -> None:
        text = json.dumps(to_builtins(result)).encode()
        missing, self._last = [*self._last, text], [text]
        comma = b"," if self._count > 1 else b""
        self._count += 1
        if self._works:
            try:
                with self._spare.open("r+b") as file:
                    file.seek(-len(_END), os.SEEK_END)
                    file.write(comma + b",".join(missing) + _END)
                self._take_turns()
            except OSError:
                self._works = False

    def _take_turns(self) -> None:
        other = part_of(self._spare)
        other.unlink(missing_ok=True)  # of a run that was killed
        try:
            os.link(self._path, other)
        except OSError:  # a file system without links
            shutil.copyfile(self._path, other)
        self._spare.replace(self._path)
        other.replace(self._spare)
