"""What would end the growth, from what grows and who holds it.  No advice is better than wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_membudget.attribution.growth import Stack
from pytest_membudget.attribution.lines import (
    CLIENT_RESULT,
    DEBUG_LOG,
    FETCHED,
    HELD_BY_CACHE,
    HELD_BY_STREAM,
    OTHER,
    WHEN_CLAUSES,
    Site,
)
from pytest_membudget.attribution.trial import Change, Trial
from pytest_membudget.evidence import Evidence
from pytest_membudget.frames import short_path
from pytest_membudget.measurement import Sample
from pytest_membudget.projection import BOUNDED, CONSTANT
from pytest_membudget.result import Advice
from pytest_membudget.units import format_rows, format_size
from pytest_membudget.worker.changes import BATCHES, DEFER, STREAM

# Less of the growth than this isn't worth a line of anybody's code.
WORTH = 0.1
_WORTH_TRYING = 0.05
# More in other hands, and it can't be said that nothing would be left.
_MOSTLY = 0.3
_HALF = 0.5


@dataclass(frozen=True)
class Case:
    """What is known when advice is given.  Sizes are bytes, ``measured`` bytes a row.

    ``observed`` is what worker/observer.py wrote down; ``peak`` is the one at production's row
    count; ``sample`` is the one that was looked at again.
    """

    evidence: Evidence
    by_site: dict[Site, list[Stack]]
    measured: float
    observed: dict[str, Any]
    peak: float | None
    baseline: int
    sample: Sample

    @property
    def vendor(self) -> str:
        return str(self.evidence.database["vendor"])

    @property
    def facts(self) -> dict[str, Any]:
        return self.sample.run.facts

    @property
    def streams(self) -> bool:
        """Whether ``iterator()`` reads from the database a chunk at a time."""
        return self.vendor in ("sqlite", "postgresql") and not (
            self.vendor == "postgresql" and self.facts.get("server_side_cursors_disabled")
        )

    @property
    def grows_on(self) -> bool:
        """Whether more rows take more memory: a chunk that is full needs no advice about rows."""
        projection = self.evidence.projection()
        return projection is None or projection.growth not in (CONSTANT, BOUNDED)

    @property
    def updates_at_once(self) -> bool:
        """Whether one call of bulk_update gets most of the rows."""
        largest = max((call["rows"] for call in self.observed["bulk_updates"]), default=0)
        return largest >= _HALF * self.sample.size

    def grows(self, *causes: str, least: float = WORTH) -> dict[tuple[str, int], float]:
        """Bytes a row by the project's line, of growth with one of these causes, largest first."""
        sums: dict[tuple[str, int], float] = {}
        for site, stacks in self.by_site.items():
            if site.cause in causes:
                at = site.own[1], site.own[2]
                sums[at] = sums.get(at, 0.0) + sum(stack.bytes_per_row for stack in stacks)
        worth = {at: size for at, size in sums.items() if size >= least * self.measured}
        return dict(sorted(worth.items(), key=lambda item: -item[1]))

    def total(self, cause: str) -> float:
        """Bytes a row of all growth with this cause."""
        return sum(
            stack.bytes_per_row
            for site, stacks in self.by_site.items()
            if site.cause == cause
            for stack in stacks
        )

    def remaining(self, saved: float) -> int | None:
        """The peak at production's row count with ``saved`` bytes a row less."""
        if self.peak is None or self.measured <= 0:
            return None
        left = max(0.0, 1 - saved / self.measured)
        return round(self.baseline + (self.peak - self.baseline) * left)


def changes_to_try(case: Case) -> list[Change]:
    """Those that a worker can make by itself, each where its condition holds."""
    changes: list[Change] = []
    if not case.grows_on:
        return changes
    if case.streams:
        changes += [Change(STREAM, *at) for at in case.grows(HELD_BY_CACHE)]
    changes += [Change(BATCHES, *at) for at in case.grows(WHEN_CLAUSES)]
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=_WORTH_TRYING)
    for loaded in case.observed["querysets"]:
        at = loaded["file"], loaded["line"]
        unread = _unread(case, loaded)
        if at in held and unread:
            changes.append(Change(DEFER, *at, columns=tuple(unread)))
    return changes


def advise(case: Case, trials: Sequence[Trial]) -> list[Advice]:
    """What would save most first."""
    found = [*_tried(case, trials), *_of_debug(case), *_of_processes(case)]
    if case.grows_on:
        found += [*_of_pages(case), *_of_raw_cursors(case)]
        found += [*_where_nothing_streams(case), *_of_expressions(case)]
    fits = any(_brings(advice, case.evidence.budget.limit) for advice in found)
    worth = [advice for advice in found if not fits or _is_worth(case, advice)]
    return sorted(worth, key=lambda advice: (not advice.tried, -(advice.bytes_per_row or 0)))


def _brings(advice: Advice, limit: int) -> bool:
    return advice.peak_bytes is not None and advice.peak_bytes < limit


def _is_worth(case: Case, advice: Advice) -> bool:
    """Beside a change that makes it fit, one that does not has to be a step on the way."""
    if advice.peak_bytes is None or _brings(advice, case.evidence.budget.limit):
        return True
    return (advice.bytes_per_row or 0) >= _HALF * case.measured


def _tried(case: Case, trials: Sequence[Trial]) -> Iterator[Advice]:
    for trial in trials:
        saved = case.measured - trial.slope() / case.evidence.counted_share
        if saved < WORTH * case.measured:
            continue
        change = trial.change
        code, message = _words(case, change)
        changed, unchanged = format_size(trial.changed_peak), format_size(trial.unchanged_peak)
        evidence = (
            f"tried: with {format_rows(trial.unchanged_rows)} rows it peaked at {changed} instead "
            f"of {unchanged}, and left the same data behind"
        )
        yield Advice(
            code=code,
            message=message,
            evidence=evidence,
            file=short_path(change.file),
            line=change.line,
            bytes_per_row=round(saved),
            peak_bytes=trial.peak(case.evidence.ladder.rows),
            tried=True,
        )


def _words(case: Case, change: Change) -> tuple[str, str]:
    where = _where(change.file, change.line)
    if change.kind == STREAM:
        return "iterator", (
            f"{where} keeps every object in the cache of its queryset: loop over .iterator() "
            "instead, which lets go of each"
        )
    if change.kind == BATCHES:
        return "own-batches", _about_batches(case, change.file, change.line)
    loaded = next(
        one
        for one in case.observed["querysets"]
        if (one["file"], one["line"]) == (change.file, change.line)
    )
    widths = case.sample.widths.get(loaded["model"], {})
    columns = ", ".join(
        f"{name} ({widths[name]:,} bytes)" if name in widths else name for name in change.columns
    )
    names = ", ".join(f'"{name}"' for name in change.columns)
    return "defer", (
        f"{where} fetches columns of {loaded['model']} that nothing reads: {columns}. "
        f"Leave them out with .defer({names})"
    )


def _about_batches(case: Case, file: str, line: int) -> str:
    calls = [
        one for one in case.observed["bulk_updates"] if (one["file"], one["line"]) == (file, line)
    ]
    sized = any(one["batch_size"] for one in calls)
    text = (
        f"bulk_update at {_where(file, line)} builds a WHEN clause for each object before it sends "
        "its first statement"
    )
    text += ", and batch_size only cuts the statements" if sized else ""
    return f"{text}: call it once for each thousand objects"


def _of_pages(case: Case) -> Iterator[Advice]:
    """Where batches of its own would leave the list of all objects behind."""
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=_WORTH_TRYING)
    if not held or not case.updates_at_once or case.total(OTHER) > _MOSTLY * case.measured:
        return
    file, line = next(iter(held))
    saved = sum(held.values())
    yield Advice(
        "pages",
        f"{_where(file, line)} has all objects at hand before bulk_update gets them: take the rows "
        'a page at a time, for instance from Paginator(queryset.order_by("pk"), 1000), and update '
        "each page; nothing then grows with the rows",
        f"the objects are {saved:,.0f} bytes a row",
        short_path(file),
        line,
        round(case.measured),
        case.baseline,
    )


def _of_raw_cursors(case: Case) -> Iterator[Advice]:
    """A cursor of the migration's own, whose whole result the client or a list holds."""
    held = {
        at: size
        for at, size in case.grows(CLIENT_RESULT, FETCHED).items()
        if not _is_of_orm(case, at)
    }
    if not held:
        return
    if case.vendor == "postgresql":
        code = "server-side-cursor"
        message = (
            "the client holds the whole result of a cursor without a name, however it is fetched: "
            'open a server-side cursor, connection.connection.cursor(name="rows"), and take '
            "fetchmany(2000) at a time"
        )
    else:
        code = "loop-over-cursor"
        message = "fetchall() makes a list of every row: loop over the cursor instead"
    saved = sum(held.values())
    file, line = next(iter(held))
    yield Advice(
        code,
        message,
        f"{saved:,.0f} bytes a row are held at {' and '.join(_where(*at) for at in held)}",
        short_path(file),
        line,
        round(saved),
        case.remaining(saved),
    )


def _where_nothing_streams(case: Case) -> Iterator[Advice]:
    if case.streams:
        return
    for (file, line), saved in case.grows(HELD_BY_CACHE, HELD_BY_STREAM, CLIENT_RESULT).items():
        if not _is_of_orm(case, (file, line)):
            continue
        yield Advice(
            "keyset-pages",
            f"{_where(file, line)} has all rows on the client, and iterator() would not help: "
            "server-side cursors are disabled. Take pages instead: "
            'filter(pk__gt=last).order_by("pk")[:1000], until one is empty',
            f"{saved:,.0f} bytes a row are held there",
            short_path(file),
            line,
            round(saved),
            case.remaining(saved),
        )


def _of_expressions(case: Case) -> Iterator[Advice]:
    """Only where a single table is read and written: another one's rows may be in the value."""
    read, written = set(case.sample.run.read), set(case.sample.run.written)
    held = case.grows(WHEN_CLAUSES)
    if not held or not case.updates_at_once or len(written) != 1 or read != written:
        return
    file, line = next(iter(held))
    yield Advice(
        "update-expression",
        f"if the database can compute what {_where(file, line)} writes, one "
        "queryset.update(field=expression), with F() and the functions of "
        "django.db.models.functions, holds no rows at all",
        f"it reads and writes {next(iter(written))} only",
        short_path(file),
        line,
        round(case.measured),
        case.baseline,
    )


def _of_debug(case: Case) -> Iterator[Advice]:
    if not case.facts.get("debug"):
        return
    for (file, line), saved in case.grows(DEBUG_LOG, least=_WORTH_TRYING).items():
        yield Advice(
            "debug-off",
            "with DEBUG = True Django keeps the last 9,000 statements: migrate with DEBUG = False",
            f"{saved:,.0f} bytes a row at {_where(file, line)}, until there are 9,000",
            short_path(file),
            line,
            round(saved),
        )


def _of_processes(case: Case) -> Iterator[Advice]:
    processes = case.sample.run.processes
    if processes < 3:
        return
    last = case.evidence.finished[-1].run
    each = (last.peak - case.baseline) / processes
    yield Advice(
        "fewer-processes",
        f"{processes - 1} children and their parent share one limit: each of them adds about "
        f"{format_size(each)}, so a smaller pool lowers the peak by that for each child",
        f"{processes} processes at once peaked at {format_size(last.peak)}",
        short_path(next(iter(case.by_site)).own[1]) if case.by_site else "",
        next(iter(case.by_site)).own[2] if case.by_site else None,
    )


def _unread(case: Case, loaded: dict[str, Any]) -> list[str]:
    read = set(case.observed["read"].get(loaded["model"], []))
    return [name for name in loaded["columns"] if name not in read and name not in ("id", "pk")]


def _is_of_orm(case: Case, at: tuple[str, int]) -> bool:
    """Whether the growth at a line is of rows that a queryset fetched."""
    return any(
        "django/db/models/" in file
        for site, stacks in case.by_site.items()
        if (site.own[1], site.own[2]) == at
        for stack in stacks
        for _, file, _ in stack.frames
    )


def _where(file: str, line: int) -> str:
    return f"{short_path(file)}:{line}"
