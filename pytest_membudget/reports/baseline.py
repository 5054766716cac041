"""The baseline: failures that are known and accepted, in a file that is reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from msgspec import Struct, to_builtins

from pytest_membudget.budget.options import Options
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json, read_bytes, write_text
from pytest_membudget.judge.acceptance import Acceptance
from pytest_membudget.judge.figures import Bytes, Limit, Rows
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.units import format_interval, format_size

Key = tuple[str, bool, str]
# An error says nothing of the memory, so it is neither better nor worse than another verdict.
_SEVERITY = (Verdict.WITHIN, Verdict.INCONCLUSIVE, Verdict.EXCEEDS)


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure as it was accepted; ``database`` is its vendor.

    ``peak_low_bytes`` and ``peak_high_bytes`` are the interval of the peak; None where it is only
    known to be over the limit.  ``rows`` are for the reviewer.
    """

    migration: str
    reverse: bool = False
    database: str
    verdict: Verdict
    peak_bytes: Bytes | None = None
    peak_low_bytes: Bytes | None = None
    peak_high_bytes: Bytes | None = None
    limit_bytes: Limit
    rows: dict[str, Rows] = {}
    reason: str
    accepted: date
    until: date | None = None

    @classmethod
    def of(cls, failures: Sequence[Result], acceptance: Acceptance) -> Entry:
        """One for the failures of a migration in one or more tests: the worst of them."""
        if len({one.verdict == Verdict.ERROR for one in failures}) > 1:
            raise BudgetError(
                f"{failures[0].migration} raises an error in one test and fails otherwise in "
                "another one, which can't both be accepted"
            )
        order = (*_SEVERITY, Verdict.ERROR)
        worst = max(failures, key=lambda one: (order.index(one.verdict), one.peak_bytes or 0))
        migration, reverse, database = key_of(worst)
        return cls(
            migration=migration,
            reverse=reverse,
            database=database,
            verdict=worst.verdict,
            peak_bytes=worst.peak_bytes,
            peak_low_bytes=worst.peak_low_bytes,
            peak_high_bytes=worst.peak_high_bytes,
            limit_bytes=min(one.limit_bytes for one in failures),
            rows=worst.rows,
            reason=acceptance.reason,
            accepted=acceptance.accepted,
            until=acceptance.until,
        )

    @property
    def key(self) -> Key:
        return self.migration, self.reverse, self.database

    def objection(self, result: Result, today: date) -> str | None:
        """Why the result is not what was accepted; None where it is, or is better."""
        if self.until is not None and today > self.until:
            return f"It was accepted until {self.until}."
        if self.verdict != result.verdict and (
            Verdict.ERROR in (self.verdict, result.verdict)
            or _SEVERITY.index(result.verdict) > _SEVERITY.index(self.verdict)
        ):
            return f"It was accepted as {self.verdict}."
        if result.limit_bytes < self.limit_bytes:
            return f"It was accepted with a limit of {format_size(self.limit_bytes)}."
        low, peak, high = self.peak_low_bytes, self.peak_bytes, self.peak_high_bytes
        if low is None or peak is None or high is None or result.peak_bytes is None:
            return None
        if result.peak_bytes <= high:
            return None
        return f"It was accepted with a peak of {format_interval(low, peak, high)}."


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal[1]
    accepted: list[Entry]


@dataclass(frozen=True)
class Baseline:
    """The entries of a file, by what they are about."""

    path: str
    entries: dict[Key, Entry]

    def applied_to(self, result: Result, today: date) -> Result:
        """The same verdict, ``accepted`` or with a reason that says why it is not."""
        entry = self.entries.get(key_of(result))
        if entry is None or result.ok:
            return result
        if (objection := entry.objection(result, today)) is not None:
            return replace(result, reason=f"{result.reason} {objection}")
        return replace(result, accepted=Acceptance(entry.reason, entry.accepted, entry.until))

    def stale(self, results: Iterable[Result]) -> list[Entry]:
        """The entries of migrations that are within by now, in each of their results."""
        by_key: dict[Key, bool] = {}
        for result in results:
            key = key_of(result)
            by_key[key] = by_key.get(key, True) and result.ok
        return [entry for key, entry in self.entries.items() if by_key.get(key)]

    def stale_notes(self, results: Iterable[Result]) -> list[str]:
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
    """That of a run, if it has one.  Raises BudgetError."""
    if options.baseline is None:
        return None
    path = options.baseline.value
    return read_baseline(path, options.path(options.baseline, path))


def key_of(result: Result) -> Key:
    """What an entry is about: the migration, its direction and the kind of database."""
    migration = " + ".join(result.migrations) or result.migration
    return migration, result.reverse, result.database.vendor or ""
