"""One failure of the baseline: what was accepted, and whether another result is worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec import Struct

from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.acceptance import Acceptance
from pytest_membudget.judge.figures import Bytes, Limit, Rows, Seconds
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.units import format_duration, format_interval, format_seconds, format_size

Key = tuple[str, bool, str]
# An error says nothing of the memory, so it is neither better nor worse than another verdict.
_SEVERITY = (Verdict.WITHIN, Verdict.INCONCLUSIVE, Verdict.EXCEEDS)


@dataclass(frozen=True)
class _Figure:
    """A figure that has a limit, by the keys of results and entries: with those of its interval."""

    name: str
    limit: str
    keys: tuple[str, str, str]
    show: Callable[[float], str]
    show_interval: Callable[[float, float, float], str]

    def of(self, one: Result | Entry) -> tuple[float | None, ...]:
        """Its low end, itself, its high end and its limit."""
        return tuple(getattr(one, key) for key in (*self.keys, self.limit))


_FIGURES = (
    _Figure(
        "peak",
        "limit_bytes",
        ("peak_low_bytes", "peak_bytes", "peak_high_bytes"),
        format_size,
        format_interval,
    ),
    _Figure(
        "duration",
        "max_duration_s",
        ("projected_duration_low_s", "projected_duration_s", "projected_duration_high_s"),
        format_seconds,
        format_duration,
    ),
    _Figure(
        "peak of the database server",
        "limit_server_bytes",
        ("server_peak_low_bytes", "server_peak_bytes", "server_peak_high_bytes"),
        format_size,
        format_interval,
    ),
)


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A failure as it was accepted; ``database`` is its vendor.

    Its figures and limits are those of the result.  A figure without an interval is only known to
    pass its limit.  ``rows`` are for the reviewer.
    """

    migration: str
    reverse: bool = False
    database: str
    verdict: Verdict
    peak_bytes: Bytes | None = None
    peak_low_bytes: Bytes | None = None
    peak_high_bytes: Bytes | None = None
    limit_bytes: Limit
    projected_duration_s: Seconds | None = None
    projected_duration_low_s: Seconds | None = None
    projected_duration_high_s: Seconds | None = None
    max_duration_s: Seconds | None = None
    server_peak_bytes: Bytes | None = None
    server_peak_low_bytes: Bytes | None = None
    server_peak_high_bytes: Bytes | None = None
    limit_server_bytes: Limit | None = None
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
        migration, reverse, database = key_of(failures[0])
        return cls(
            migration=migration,
            reverse=reverse,
            database=database,
            verdict=max((one.verdict for one in failures), key=order.index),
            rows=max(failures, key=lambda one: sum(one.rows.values())).rows,
            reason=acceptance.reason,
            accepted=acceptance.accepted,
            until=acceptance.until,
            **dict(_worst(failures)),
        )

    @property
    def key(self) -> Key:
        return self.migration, self.reverse, self.database

    def is_answered_by(self, result: Result) -> bool:
        """Whether it has as many rows, or shows that none are needed."""
        of_each = (result.rows.get(model, 0) >= count for model, count in self.rows.items())
        return not result.rows or all(of_each)

    def objection(self, result: Result, today: date) -> str | None:
        """Why the result is not what was accepted; None where it is, or is better."""
        if self.until is not None and today > self.until:
            return f"It was accepted until {self.until}."
        if self.verdict != result.verdict and (
            Verdict.ERROR in (self.verdict, result.verdict)
            or _SEVERITY.index(result.verdict) > _SEVERITY.index(self.verdict)
        ):
            return f"It was accepted as {self.verdict}."
        return next(filter(None, (self._worse(figure, result) for figure in _FIGURES)), None)

    def _worse(self, figure: _Figure, result: Result) -> str | None:
        """That a figure which may pass its limit was not accepted, or not so large."""
        _, value, high, limit = figure.of(result)
        if value is None or limit is None or max(value, high or 0) < limit:
            return None
        low, accepted, most, its_limit = figure.of(self)
        if its_limit is None:
            return f"It was accepted without a limit of its {figure.name}."
        if limit < its_limit:
            return f"It was accepted with a limit of {figure.show(its_limit)}."
        if low is None or accepted is None or most is None or value <= most:
            return None
        shown = figure.show_interval(low, accepted, most)
        return f"It was accepted with a {figure.name} of {shown}."


def key_of(result: Result) -> Key:
    """What an entry is about: the migration, its direction and the kind of database."""
    migration = " + ".join(result.migrations) or result.migration
    return migration, result.reverse, result.database.vendor or ""


def _worst(failures: Sequence[Result]) -> Iterator[tuple[str, Any]]:
    """The largest of each figure with its interval, and the lowest limit."""
    for figure in _FIGURES:
        largest = max(failures, key=lambda one: figure.of(one)[1] or 0)
        yield from zip(figure.keys, figure.of(largest)[:3], strict=True)
        limits = [limit for *_, limit in map(figure.of, failures) if limit is not None]
        yield figure.limit, min(limits, default=None)
