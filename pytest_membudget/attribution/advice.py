"""What would end the growth, from what grows and who holds it.  No advice is better than wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_membudget.attribution.case import WORTH_TRYING, Case, where
from pytest_membudget.attribution.lines import (
    CLIENT_RESULT,
    DEBUG_LOG,
    FETCHED,
    HELD_BY_CACHE,
    HELD_BY_STREAM,
    OTHER,
    WHEN_CLAUSES,
)
from pytest_membudget.attribution.trials import Trial, of_trials
from pytest_membudget.judge.explanation import Advice, AdviceCode
from pytest_membudget.project.ownership import short_path
from pytest_membudget.units import format_seconds, format_size

# With a larger share held by other code, growth would remain after the change.
_MOSTLY = 0.3
_STEP = 0.3
_LONG_LOCK = 30.0


def advise(case: Case, trials: Sequence[Trial]) -> list[Advice]:
    """What would save most first."""
    found = [*of_trials(case, trials), *_of_debug(case), *_of_processes(case)]
    if case.grows_on:
        found += [*_of_pages(case), *_of_raw_cursors(case)]
        found += [*_where_nothing_streams(case), *_of_expressions(case)]
    found += _of_transactions(case)
    fits = any(_brings(advice, case.evidence.budget.limit) for advice in found)
    worth = [advice for advice in found if not fits or _is_worth(case, advice)]
    return sorted(worth, key=lambda advice: (not advice.tried, -(advice.bytes_per_row or 0)))


def _brings(advice: Advice, limit: int) -> bool:
    return advice.peak_bytes is not None and advice.peak_bytes < limit


def _is_worth(case: Case, advice: Advice) -> bool:
    """Beside a change that makes it fit, one that does not has to be a step on the way."""
    if advice.peak_bytes is None or _brings(advice, case.evidence.budget.limit):
        return True
    return (advice.bytes_per_row or 0) >= _STEP * case.measured


def _of_pages(case: Case) -> Iterator[Advice]:
    """Where batches of its own would leave the list of all objects behind."""
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=WORTH_TRYING)
    if not held or not case.updates_at_once or case.total(OTHER) > _MOSTLY * case.measured:
        return
    file, line = next(iter(held))
    saved = sum(held.values())
    yield Advice(
        AdviceCode.PAGES,
        f"{where(file, line)} has all objects at hand before bulk_update gets them: take the rows "
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
        if not case.is_of_orm(at)
    }
    if not held:
        return
    if case.engine.client_holds_results:
        code = AdviceCode.SERVER_SIDE_CURSOR
        message = (
            "the client holds the whole result of a cursor without a name, however it is fetched: "
            'open a server-side cursor, connection.connection.cursor(name="rows"), and take '
            "fetchmany(2000) at a time"
        )
    else:
        code = AdviceCode.LOOP_OVER_CURSOR
        message = "fetchall() makes a list of every row: loop over the cursor instead"
    saved = sum(held.values())
    file, line = next(iter(held))
    yield Advice(
        code,
        message,
        f"{saved:,.0f} bytes a row are held at {' and '.join(where(*at) for at in held)}",
        short_path(file),
        line,
        round(saved),
        case.remaining(saved),
    )


def _where_nothing_streams(case: Case) -> Iterator[Advice]:
    if case.streams:
        return
    for (file, line), saved in case.grows(HELD_BY_CACHE, HELD_BY_STREAM, CLIENT_RESULT).items():
        if not case.is_of_orm((file, line)):
            continue
        yield Advice(
            AdviceCode.KEYSET_PAGES,
            f"{where(file, line)} has all rows on the client, and iterator() would not help: "
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
        AdviceCode.UPDATE_EXPRESSION,
        f"if the database can compute what {where(file, line)} writes, one "
        "queryset.update(field=expression), with F() and the functions of "
        "django.db.models.functions, holds no rows at all",
        f"it reads and writes {next(iter(written))} only",
        short_path(file),
        line,
        round(case.measured),
        case.baseline,
    )


def _of_debug(case: Case) -> Iterator[Advice]:
    if not case.facts.debug:
        return
    for (file, line), saved in case.grows(DEBUG_LOG, least=WORTH_TRYING).items():
        yield Advice(
            AdviceCode.DEBUG_OFF,
            "with DEBUG = True Django keeps the last 9,000 statements: migrate with DEBUG = False",
            f"{saved:,.0f} bytes a row at {where(file, line)}, until there are 9,000",
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
        AdviceCode.FEWER_PROCESSES,
        f"{processes - 1} children and their parent share one limit: each of them adds about "
        f"{format_size(each)}, so a smaller pool lowers the peak by that for each child",
        f"{processes} processes at once peaked at {format_size(last.peak)}",
        short_path(next(iter(case.by_site)).own[1]) if case.by_site else "",
        next(iter(case.by_site)).own[2] if case.by_site else None,
    )


def _of_transactions(case: Case) -> Iterator[Advice]:
    """Where the table would be locked for long: not about memory, but these runs show it."""
    seconds = case.assessment.estimate.duration or 0.0
    if case.mixed is None or not case.engine.locks_until_commit or seconds < _LONG_LOCK:
        return
    yield Advice(
        AdviceCode.SPLIT_MIGRATION,
        "it alters a table and goes through its rows in one transaction, which keeps the table "
        "locked: put the data into a migration of its own, with atomic = False and batches that "
        "commit one by one and can be run again",
        f"it would take about {format_seconds(seconds)}",
        short_path(case.mixed),
        None,
    )
