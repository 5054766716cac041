"""What would end the growth, from what grows and who holds it.  No advice is better than wrong."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_membudget.attribution.case import WORTH_TRYING, Case, located, where
from pytest_membudget.attribution.kept import of_bulk_creates, of_kept_rows
from pytest_membudget.attribution.sites import (
    CLIENT_RESULT,
    DEBUG_LOG,
    FETCHED,
    HELD_BY_CACHE,
    HELD_BY_STREAM,
    OTHER,
    WHEN_CLAUSES,
)
from pytest_membudget.attribution.trials import Trials, of_trials
from pytest_membudget.judge.explanation import Advice, AdviceCode
from pytest_membudget.project.ownership import short_path
from pytest_membudget.units import format_seconds, format_size

# With a larger share held by other code, growth would remain after the change.
_MOSTLY = 0.3
_STEP = 0.3
_LONG_LOCK = 30.0


def advise(case: Case, trials: Trials) -> list[Advice]:
    """What would save most first."""
    found = [*of_trials(case, trials), *_of_debug(case), *_of_processes(case)]
    if case.grows_on:
        found += [*_of_pages(case), *_of_raw_cursors(case)]
        found += [*_where_nothing_streams(case), *_of_expressions(case)]
        found += [*of_bulk_creates(case)] or [*of_kept_rows(case, trials)]
    found += _of_transactions(case)
    limit, step = case.evidence.budget.limit, _STEP * case.measured
    if any(advice.peak_bytes is not None and advice.peak_bytes < limit for advice in found):
        # Beside a change that makes it fit, one that does not has to be a step on the way.
        found = [
            advice
            for advice in found
            if (advice.peak_bytes or 0) < limit or (advice.bytes_per_row or 0) >= step
        ]
    return sorted(found, key=lambda advice: (not advice.tried, -(advice.bytes_per_row or 0)))


def _of_pages(case: Case) -> Iterator[Advice]:
    """Where batches of its own would leave the list of all objects behind."""
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=WORTH_TRYING)
    if not held or not case.updates_at_once or case.total(OTHER) > _MOSTLY * case.measured:
        return
    at, saved = next(iter(held)), sum(held.values())
    yield Advice(
        AdviceCode.PAGES,
        f"{where(*at)} loads all objects before it calls bulk_update: load the rows a page "
        'at a time, for instance with Paginator(queryset.order_by("pk"), 1000), and update each '
        "page; memory then does not grow with the rows",
        f"the objects take {saved:,.0f} bytes a row",
        *located(*at),
        round(case.measured),
        case.baseline,
    )


def _of_raw_cursors(case: Case) -> Iterator[Advice]:
    """A cursor of the migration's own, whose whole result the client or a list holds."""
    known = case.grows(CLIENT_RESULT, FETCHED)
    held = {at: size for at, size in known.items() if not case.is_of_orm(at)}
    if not held:
        return
    if case.engine.client_holds_results:
        code = AdviceCode.SERVER_SIDE_CURSOR
        message = (
            "the client holds the whole result of a plain cursor, whichever fetch method is "
            f"called: open {case.engine.streaming_cursor}, and call fetchmany(2000) in a loop"
        )
    else:
        code = AdviceCode.LOOP_OVER_CURSOR
        message = "fetchall() builds a list of all rows: loop over the cursor instead"
    saved = sum(held.values())
    yield Advice(
        code,
        message,
        f"{saved:,.0f} bytes a row are held at {' and '.join(where(*at) for at in held)}",
        *located(*next(iter(held))),
        round(saved),
        case.remaining(saved),
    )


def _where_nothing_streams(case: Case) -> Iterator[Advice]:
    held = {} if case.streams else case.grows(HELD_BY_CACHE, HELD_BY_STREAM, CLIENT_RESULT)
    why = "server-side cursors are disabled"
    if not case.engine.streams:
        why = f"the client library of {case.engine.label} holds the whole result"
    for at, saved in held.items():
        if case.is_of_orm(at):
            yield Advice(
                AdviceCode.KEYSET_PAGES,
                f"{where(*at)} loads all rows into the client, and iterator() would not help, "
                f"because {why}. Load pages instead: "
                'filter(pk__gt=last).order_by("pk")[:1000], until a page is empty',
                f"{saved:,.0f} bytes a row are held there",
                *located(*at),
                round(saved),
                case.remaining(saved),
            )


def _of_expressions(case: Case) -> Iterator[Advice]:
    """Only where a single table is read and written: another one's rows may be in the value."""
    read, written = set(case.sample.run.read), set(case.sample.run.written)
    held = case.grows(WHEN_CLAUSES)
    if not held or not case.updates_at_once or len(written) != 1 or read != written:
        return
    at = next(iter(held))
    yield Advice(
        AdviceCode.UPDATE_EXPRESSION,
        f"if the database can compute the values that {where(*at)} writes, use one "
        "queryset.update(field=expression) with F() and the functions of "
        "django.db.models.functions, which loads no rows",
        f"the migration reads and writes only {next(iter(written))}",
        *located(*at),
        round(case.measured),
        case.baseline,
    )


def _of_debug(case: Case) -> Iterator[Advice]:
    held = case.grows(DEBUG_LOG, least=WORTH_TRYING) if case.sample.run.facts.debug else {}
    for at, saved in held.items():
        yield Advice(
            AdviceCode.DEBUG_OFF,
            "with DEBUG = True Django keeps the last 9,000 statements: migrate with DEBUG = False",
            f"{saved:,.0f} bytes a row at {where(*at)}, up to 9,000 statements",
            *located(*at),
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
        f"{processes - 1} child processes and their parent share one limit, and each adds about "
        f"{format_size(each)}: use a smaller pool, which lowers the peak by that for each child",
        f"{processes} processes at once peaked at {format_size(last.peak)}",
        *(located(*next(iter(case.by_site)).own[1:]) if case.by_site else ()),
    )


def _of_transactions(case: Case) -> Iterator[Advice]:
    """Where the table would be locked for long: not about memory, but these runs show it."""
    duration = case.assessment.estimate.duration.projection
    seconds = 0.0 if duration is None else duration.value
    if case.mixed is None or not case.engine.locks_until_commit or seconds < _LONG_LOCK:
        return
    yield Advice(
        AdviceCode.SPLIT_MIGRATION,
        "the migration alters a table and processes its rows in one transaction, which keeps the "
        "table locked: move the data changes to a separate migration with atomic = False, and "
        "commit them in batches that can be run again",
        f"the migration would take about {format_seconds(seconds)}",
        short_path(case.mixed),
    )
