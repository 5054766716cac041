"""A dry run over a few rows: which tables a migration accesses, so that only those are seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_membudget.check.dry_run import (
    Weighed,
    dry_run,
    near_limit,
    not_seen,
    over_limit,
    within_limit,
)
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.errors import ServerError
from pytest_membudget.judge import reasons
from pytest_membudget.judge.matching import filter_values
from pytest_membudget.judge.projection import MIB
from pytest_membudget.judge.verdict import Judgement, Verdict
from pytest_membudget.processes.messages.orders import ListTables, TableModel
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.profile.production import Production
from pytest_membudget.sample import ForcedValues, Run, Sample

_FEW = 20
# Of fewer than these it takes the same number, whatever the table holds, or finds none.
_SOME = _FEW / 4
_ROUNDS = 8
# About the most that a row was seen to take: 6.8 KiB for 330 bytes, in a bulk_update on PostgreSQL.
_MOST_BYTES, _MOST_TIMES = 8 * 1024, 25
_SMALL_SHARE = 0.05
# What the first rows of a table cost but for themselves: code that is loaded when it is needed.
_FIRST_ROWS = 2 * MIB


@dataclass(frozen=True)
class Survey:
    """What dry runs found out.

    ``rows`` are those of the models to seed, the one with the most rows first; ``unknown`` are
    labels of models that it accesses and whose production row counts are unknown,
    ``without_model`` tables that can't be seeded for want of one.  ``few`` says that its tables
    have too few rows to matter, and ``most`` how many bytes its peak may come to with these.
    ``samples`` are all of its runs, on tables that were empty or nearly so, the ``last`` of them
    over each table that it accesses.
    """

    rows: dict[str, int]
    unknown: tuple[str, ...]
    without_model: tuple[str, ...]
    few: bool
    most: float
    samples: tuple[Sample, ...]
    last: Run


def with_rows(
    plan: CheckPlan, server: ServerClient, progress: Callable[[str], None]
) -> tuple[CheckPlan, Weighed | None]:
    """The plan with rows to seed, or else a verdict that needs none."""
    if plan.budget.rows:
        return plan, None
    found = survey(plan, plan.production, server, progress)
    if over := over_limit(plan, found.samples):
        return plan, over
    if reason := _not_known(plan, found):
        return plan, Weighed(Judgement(Verdict.INCONCLUSIVE, None, reason), found.samples)
    budget, rows = plan.budget, found.rows
    seeded = replace(plan, budget=replace(budget, rows=rows))
    if rows and (found.last.failure or not found.few):
        return seeded, None
    if found.last.refused and (unseen := not_seen(plan, found.samples)):
        return plan, unseen
    if found.last.failure:
        reason = reasons.broke_on_few_rows(budget, found.last.failure, empty=False)
        failed = Judgement(Verdict.ERROR, None, reason)
        return plan, Weighed(failed, found.samples, details=found.last.details)
    processes = max(sample.run.processes for sample in found.samples)
    if processes > 1 and not rows:
        reason = reasons.processes_not_followed(budget, processes)
        return plan, Weighed(Judgement(Verdict.INCONCLUSIVE, None, reason), found.samples)
    reason = reasons.too_few_rows_to_matter(budget, rows)
    within = within_limit(plan, found.samples, found.most, reason)
    if within is None and rows:
        return seeded, None
    peak = max(sample.run.peak for sample in found.samples)
    return plan, within or near_limit(plan, peak, found.samples)


def _not_known(plan: CheckPlan, found: Survey) -> str | None:
    """Why no rows can be made; None where they can."""
    if found.unknown:
        return reasons.rows_unknown(plan.budget, found.unknown, plan.production.profile)
    if found.without_model:
        return reasons.without_model(plan.budget, found.without_model)
    return None


def survey(
    plan: CheckPlan, production: Production, server: ServerClient, progress: Callable[[str], None]
) -> Survey:
    """Run it on empty tables, then on a few rows in those that it went to, until it is no more.

    Where its filters leave rows out, it is run on rows as they ask for as well.  It ends with the
    first run that passes the limit.
    """
    present = server.call(ListTables(plan.applied))
    tables = present.models
    seeded: set[str] = set()
    samples: list[Sample] = []
    for _ in range(_ROUNDS):
        progress(f"finding its tables with a few rows in {len(seeded)} of them")
        few = {table: few_rows(production.rows(table, tables[table].label)) for table in seeded}
        latest = _round(plan, server, tables, few)
        samples += latest
        runs = [sample.run for sample in latest]
        accessed_tables = {table for done in runs for table in done.accessed_tables}
        met = accessed_tables & tables.keys()
        unseen = met - seeded
        if not unseen or any(done.peak > plan.budget.limit for done in runs):
            break
        seeded |= met
    known = {table: production.rows(table, tables[table].label) for table in met}
    grown = [
        table
        for table in sorted(met)
        if table in unseen or any(grows_with(table, one, tables[table].uniques) for one in runs)
    ]
    if grown:
        grown += sorted(table for table in met if all(is_only_joined(table, one) for one in runs))
    limit = plan.budget.limit
    rows = {table: count for table in grown if (count := known[table])}
    are_few = all(_are_few(count, production.width(table), limit) for table, count in rows.items())
    if rows and are_few:
        # A single row by its key costs the same whatever the table has.
        most = _most(samples, latest, {table: known[table] for table in grown}, 0)
    else:
        most = _most(samples, latest, known, _FIRST_ROWS)
    if most >= limit or _branches(plan, known):
        are_few = False
        grown = sorted(met)
        rows = {table: count for table in grown if (count := known[table])}
    parents = {parent for table in rows for parent in tables[table].parents} - rows.keys()
    of_parents = {
        table: count
        for table in sorted(parents & tables.keys())
        if (count := production.rows(table, tables[table].label))
    }
    largest_first = sorted(rows.items(), key=lambda item: -item[1])
    return Survey(
        rows={tables[table].label: count for table, count in [*largest_first, *of_parents.items()]},
        unknown=tuple(tables[table].label for table in grown if known[table] is None),
        without_model=tuple(sorted(accessed_tables & set(present.others))),
        few=are_few,
        most=most,
        samples=tuple(samples),
        last=runs[0],
    )


def _branches(plan: CheckPlan, known: Mapping[str, int | None]) -> bool:
    """Whether the code compares a count with fewer rows than a table has that it accesses."""
    counts = [math.inf if rows is None else rows for rows in known.values()]
    return min(plan.branches, default=math.inf) < max(counts, default=0)


def _round(
    plan: CheckPlan, server: ServerClient, tables: dict[str, TableModel], few: dict[str, int]
) -> list[Sample]:
    """One run over a few rows, and one over rows as its filters ask for where these left some."""
    first = dry_run(plan, server, tables, few)
    forced_values = _left_out(first.run, few)
    if not forced_values or first.run.peak > plan.budget.limit:
        return [first]
    with suppress(ServerError):
        return [first, dry_run(plan, server, tables, few, forced_values)]
    return [first]


def _most(
    samples: Sequence[Sample],
    latest: Sequence[Sample],
    known: Mapping[str, int | None],
    first_rows: int,
) -> float:
    """Bytes that the peak may come to, if each row costs what the few of a dry run did.

    ``first_rows`` are bytes that the first of them cost whatever their number.
    """
    empty, filled = samples[0].run.peak, max(sample.run.peak for sample in latest)
    if filled - empty <= first_rows or len(samples) == 1:
        return float(filled)
    times = [math.inf if rows is None else rows / few_rows(rows) for rows in known.values()]
    return empty + (filled - empty) * max([1.0, *times])


def _left_out(done: Run, few: dict[str, int]) -> ForcedValues:
    """The columns by which it left out rows that may lead to further tables."""
    return {
        table: columns
        for table, columns in filter_values(done, with_values=True).items()
        if max(done.read.get(table, 0), done.written.get(table, 0)) < few.get(table, 0)
    }


def few_rows(production: int | None) -> int:
    """A table of three rows may have no room for more: its unique columns say so."""
    return max(1, min(_FEW, production or _FEW))


def grows_with(table: str, done: Run, uniques: list[list[str]]) -> bool:
    """Whether more rows in a table may mean more in the process.

    Not where all that it takes are a few, without a choice or by a key that finds a single one.
    What none of a few rows meets may well be met in production.
    """
    taken = max(done.read.get(table, 0), done.written.get(table, 0))
    if taken >= _SOME or any(table in one.tables for one in done.unmatched):
        return True
    return any(
        columns and not any(all(f"{column}=" in columns for column in unique) for unique in uniques)
        for columns in done.accessed_tables.get(table, ())
    )


def _are_few(rows: int, width: float | None, limit: int) -> bool:
    """Whether these rows, all of them held in the costliest way, are a small share of the limit."""
    if width is None:
        return False
    return rows * max(_MOST_BYTES, _MOST_TIMES * width) <= _SMALL_SHARE * limit


def is_only_joined(table: str, done: Run) -> bool:
    """Rows are counted for the first table of a statement: it multiplies those of another one."""
    by_columns = any(done.accessed_tables.get(table, ()))
    return not (table in done.read or table in done.written or by_columns)
