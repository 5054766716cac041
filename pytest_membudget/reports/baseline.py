"""The baseline: failures that are known and accepted, in a file that is reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from msgspec import Struct, to_builtins

from pytest_membudget.budget.options import Options
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json, read_bytes, write_text
from pytest_membudget.judge.acceptance import Acceptance
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.baseline_entry import Entry, Key, key_of


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal[1]
    accepted: list[Entry]


@dataclass(frozen=True)
class Baseline:
    """The entries of a file, by what they are about; none where it is ``missing``."""

    path: str
    entries: dict[Key, Entry]
    missing: bool = False

    def applied_to(self, result: Result, today: date) -> Result:
        """The same verdict, ``accepted`` or with a reason that says why it is not."""
        entry = self.entries.get(key_of(result))
        if entry is None or result.ok:
            return result
        if (objection := entry.objection(result, today)) is not None:
            return replace(result, reason=f"{result.reason} {objection}")
        return replace(result, accepted=Acceptance(entry.reason, entry.accepted, entry.until))

    def stale(self, results: Iterable[Result]) -> list[Entry]:
        """The entries of migrations that are within by now, with as many rows at least."""
        by_key: dict[Key, list[Result]] = {}
        for result in results:
            by_key.setdefault(key_of(result), []).append(result)
        return [
            entry
            for key, entry in self.entries.items()
            if all(one.ok for one in by_key.get(key, ()))
            and any(map(entry.is_answered_by, by_key.get(key, ())))
        ]

    def notes(self, results: Iterable[Result]) -> list[str]:
        """What there is to do about the file."""
        if self.missing:
            return [f"there is no {self.path}, so no failure is accepted"]
        return [
            f"{entry.migration} is within, so {self.path} need not accept it any more; "
            "`membudget accept RESULTS --prune` removes its entry"
            for entry in self.stale(results)
        ]

    def write(self) -> None:
        """Write the file, sorted.  Raises BudgetError."""
        ordered = [self.entries[key] for key in sorted(self.entries)]
        document = to_builtins(_Document(1, ordered))
        write_text(self.path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_baseline(path: str, file: Path | None = None) -> Baseline:
    """That at ``path``, or the ``file`` that is called so.

    Raises BudgetError, which has the path of what is wrong in the file.
    """
    content = read_bytes(file or path, "membudget accept", path)
    document = convert(parse_json(content, path), _Document, path)
    entries: dict[Key, Entry] = {}
    for entry in document.accepted:
        if entry.key in entries:
            raise BudgetError(f"{path} accepts {entry.migration} twice")
        if not entry.reason.strip():
            raise BudgetError(f"{path} gives no reason for {entry.migration}")
        entries[entry.key] = entry
    return Baseline(path, entries)


def baseline_of(options: Options) -> Baseline | None:
    """That of a run, if it asks for one: without a file nothing is accepted.

    Raises BudgetError.
    """
    if options.baseline is None:
        return None
    path = options.baseline.value
    file = options.path(options.baseline, path)
    return read_baseline(path, file) if file.exists() else Baseline(path, {}, missing=True)
