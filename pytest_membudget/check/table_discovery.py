"""Dry runs over a few rows: which tables a migration accesses, so that only those are seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_membudget.check.dry_run import dry_runs
from pytest_membudget.check.early_verdict import (
    EarlyVerdict,
    broke,
    inconclusive,
    near_limit,
    over_limit,
    unseen_by,
    within_limit,
)
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_effects import (
    are_few,
    few_rows,
    grows_with,
    is_guarded,
    is_only_joined,
    worked_on,
)
from pytest_membudget.judge import reasons
from pytest_membudget.judge.gap import Gap, rows_unknown, statement_unread, tables_without_model
from pytest_membudget.judge.lessons import contradictions
from pytest_membudget.judge.portions import asked_shares
from pytest_membudget.judge.verdict import Judgement, Verdict
from pytest_membudget.processes.messages.orders import ListTables
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.sample import Sample
from pytest_membudget.sql.table_names import is_own_of_django
from pytest_membudget.units import MIB

_ROUNDS = 8
# What the first rows of a table cost but for themselves: code that is loaded when it is needed.
_FIRST_ROWS = 2 * MIB


@dataclass(frozen=True)
class Discovery:
    """What dry runs found out.

    ``rows`` are those of the models to seed, the one to count first, ``links`` those, all 0, of
    models that are seeded with the models that they link, and are to have none; ``unknown`` are the
    gaps of tables that it accesses and that can't be seeded; ``plan`` has what was learned.
    ``few`` says that its tables have too few rows to matter, and ``most`` how many bytes its peak
    may come to with these.  ``samples``
    are all of its runs, on tables that were empty or nearly so, the ``last`` of them over each
    table that it accesses.
    """

    rows: dict[str, int]
    links: dict[str, int]
    unknown: Sequence[Gap]
    plan: CheckPlan
    few: bool
    most: float
    samples: Sequence[Sample]
    last: Sample


def with_rows(
    plan: CheckPlan, server: ServerClient, progress: Callable[[str], None]
) -> tuple[CheckPlan, EarlyVerdict | None]:
    """The plan with rows to seed, or else a verdict that needs none."""
    if plan.budget.rows:
        return plan, None
    found = discover(plan, server, progress)
    plan = found.plan
    budget, rows, samples, last = plan.budget, found.rows, found.samples, found.last
    if over := over_limit(budget, samples):
        return plan, over
    several = len(budget.migrations) > 1
    if found.unknown and not (several and rows and not last.run.failure):
        return plan, inconclusive(budget, samples, found.unknown)
    to_seed = replace(budget, rows={**rows, **found.links} if rows else {})
    seeded = replace(plan, budget=to_seed, unknown=tuple(found.unknown))
    if found.unknown:
        return seeded, None
    if rows and (last.run.failure or not found.few):
        return seeded, None
    if last.run.refused and (gaps := unseen_by(budget, samples)):
        return plan, inconclusive(budget, samples, gaps)
    if last.run.failure:
        return plan, broke(budget, samples, last, empty=False)
    processes = max(sample.run.processes for sample in samples)
    if processes > 1 and not rows:
        reason = reasons.processes_not_followed(budget, processes)
        return plan, EarlyVerdict(Judgement(Verdict.INCONCLUSIVE, None, reason), samples)
    if budget.depends_on_tables and any(sample.run.opaque for sample in samples) and not rows:
        return plan, inconclusive(budget, samples, [statement_unread()])
    reason = reasons.too_few_rows_to_matter(budget, rows)
    within = within_limit(budget, samples, found.most, reason)
    if within is None and rows:
        return seeded, None
    peak = max(sample.run.peak for sample in samples)
    return plan, within or near_limit(budget, samples, peak)


def discover(plan: CheckPlan, server: ServerClient, progress: Callable[[str], None]) -> Discovery:
    """Run it on empty tables, then on a few rows in those that it accessed, until it accesses no
    further ones.

    Where its filters leave rows out, it is run on rows that match them as well.  The first run that
    passes the limit is the last one.
    """
    in_database = plan.budget.depends_on_tables
    present = server.call(ListTables(plan.applied))
    tables = present.models
    seeded: set[str] = set()
    samples: list[Sample] = []
    for _ in range(_ROUNDS):
        progress(f"finding the accessed tables, with a few rows in {len(seeded)} of them")
        plan, latest = dry_runs(plan, server, tables, seeded)
        plan = plan.with_most(latest[0].most)
        samples += latest
        runs = [sample.run for sample in latest]
        accessed_tables = {table for done in runs for table in done.accessed_tables}
        if in_database:
            accessed_tables |= {table for done in runs for table in worked_on(done)}
        met = accessed_tables & tables.keys()
        unseen = met - seeded
        if not unseen or any(done.peak > plan.budget.limit for done in runs):
            break
        seeded |= met
    plan = replace(
        plan,
        startup=min(sample.run.startup for sample in samples),
        few_peak=latest[-1].run.peak if latest[-1].finished and seeded else None,
    )
    production = plan.production
    for done in runs:  # generated rows have as many NULLs as production
        followed = asked_shares(done, production.shares)
        plan = replace(plan, forced_values=followed.without_followed(plan.forced_values))
    known = {table: production.rows(table, tables[table].label) for table in met}
    grown = [
        table
        for table in sorted(met)
        if table in unseen
        or all(is_guarded(table, one, tables[table].uniques) for one in runs)
        or any(grows_with(table, one, tables[table].uniques) for one in runs)
    ]
    if grown:
        grown += sorted(table for table in met if all(is_only_joined(table, one) for one in runs))
    looked_up = {table for one in plan.lessons for table, _ in one.columns if one.finds_one}
    if grown:  # what it does with these may depend on the row that it finds there
        looked_up |= {table for done in runs for table, count in done.fetched.items() if count}
    grown += sorted(met & looked_up - set(grown))
    rows = _with_rows(grown, known)
    limit = plan.budget.limit
    are_small = all(are_few(count, production.width(table), limit) for table, count in rows.items())
    if rows and are_small:
        # A single row by its key costs the same whatever the table has.
        most = _most(samples, latest, {table: known[table] for table in grown}, 0)
    else:
        most = _most(samples, latest, known, _FIRST_ROWS)
    # What a receiver loads of the rows that the migration makes depends on those it accesses.
    feeds = any(not one.loads.isdisjoint(run.changed) for run in runs for one in run.receivers)
    if most >= limit or feeds or _branches(plan, known) or in_database:
        are_small = False
        grown = sorted(met)
        rows = _with_rows(grown, known)
    parents = {
        parent
        for table in rows
        for parent in tables[table].parents
        if parent in tables and not is_own_of_django(parent)
    }
    of_parents = {
        table: production.rows(table, tables[table].label) for table in parents - rows.keys()
    }
    rows |= _with_rows(sorted(of_parents), of_parents)
    # The verdict counts the first: one whose rows come into the process, not one that is joined.
    loaded = {table for one in runs for table, count in one.read.items() if count}
    rows = dict(sorted(rows.items(), key=lambda item: item[0] not in loaded))
    gaps = [*contradictions(plan.lessons)]
    if unknown := [tables[table].label for table in grown if known[table] is None]:
        tables_unknown = [table for table in grown if known[table] is None]
        gap = rows_unknown(unknown, production.profile)
        gaps.append(replace(gap, migration=latest[0].run.whose(tables_unknown)))
    if without_model := sorted(accessed_tables & set(present.others)):
        gap = tables_without_model(without_model)
        gaps.append(replace(gap, migration=latest[0].run.whose(without_model)))
    return Discovery(
        rows={tables[table].label: count for table, count in rows.items()},
        links={
            one.label: 0
            for one in tables.values()
            if one.through and one.label in plan.without_rows
        },
        unknown=gaps,
        plan=plan,
        few=are_small,
        most=most,
        samples=samples,
        last=latest[0],
    )


def _with_rows(tables: Iterable[str], known: Mapping[str, int | None]) -> dict[str, int]:
    """Those that are known to have rows, the one with the most first."""
    rows = {table: count for table in tables if (count := known[table])}
    return dict(sorted(rows.items(), key=lambda item: -item[1]))


def _branches(plan: CheckPlan, known: Mapping[str, int | None]) -> bool:
    """Whether the code compares a count with fewer rows than a table has that it accesses."""
    counts = [math.inf if rows is None else rows for rows in known.values()]
    return min(plan.branches, default=math.inf) < max(counts, default=0)


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
