"""Rows that a migration looks for one at a time: a run that finds them tells what it does then.

A migration that goes on without a row may load anything where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.errors import ServerError
from pytest_membudget.judge.coverage import TOUCHED_ALL
from pytest_membudget.judge.growth_fit import VISIBLE
from pytest_membudget.judge.matching import filter_values, merged_values
from pytest_membudget.sample import ForcedValues, Run, Sample
from pytest_membudget.sample.lesson import Expected, Lesson
from pytest_membudget.sql.table_names import is_own_of_django

# Of the few rows of a table each can be one of these.
_MOST = 8
# A table, and what the row in it holds.
Sought = tuple[str, dict[str, Any]]


def with_rows_sought(
    plan: CheckPlan,
    sample: Sample,
    sought: Collection[Sought],
    again: Callable[[CheckPlan], tuple[CheckPlan, Sample]],
) -> tuple[CheckPlan, Sample]:
    """The plan and the sample to go on with, of which the latter did not find rows that it
    ``sought``; ``again`` takes it by the plan of a run that finds them.
    """
    further = _with_sought(plan, sought)
    if further is None or not sample.finished or sample.run.peak > plan.budget.limit:
        return plan, sample
    with suppress(ServerError):
        further, found = again(further)
        if found.finished:
            if asked := _asked_beside(sample.run, found):
                forced = merged_values(further.forced_values, *asked.values())
                most, every = again(replace(further, forced_values=forced))
                if _finds_all(sample.run, most, every):
                    return most, every
            after = _chosen(plan, sample.run, further, found.run)
            if after is further:
                return further, found
            return after, replace(sample, run=settled(after, sample.run))
    return plan, sample


def _with_sought(plan: CheckPlan, sought: Collection[Sought]) -> CheckPlan | None:
    """The plan with the rows that a run did not find; None where there are no further ones."""
    rows = [
        Lesson(Expected.ROW, [(table, name) for name in row], list(row.values()))
        for table, row in sought
    ]
    further = [one for one in rows if one not in plan.sought][: _MOST - len(plan.sought)]
    return replace(plan, sought=(*plan.sought, *further)) if further else None


def _asked_beside(done: Run, found: Sample) -> dict[str, ForcedValues]:
    """What statements ask for that match rows only where the run has found those that it looked
    for, as the rows that refer to one of these: by the table that their rows are counted for.
    """
    asked = _asked_of_both(done, found.run)
    seeded = {table for table in found.tables.values() if not is_own_of_django(table)}
    still = {one.text for one in found.run.unmatched}
    return {
        main: {table: asked[table] for table in one.tables if table in seeded & asked.keys()}
        for one in done.unmatched
        if one.text not in still
        for main in [table for table in one.tables if table in seeded][:1]
    }


def _asked_of_both(done: Run, found: Run) -> ForcedValues:
    """What a run asks of the columns by which the other one chooses rows as well: not of those by
    which it chooses them once it has found some.
    """
    return {
        table: {name: its for name, its in columns.items() if name in done.filters.get(table, {})}
        for table, columns in filter_values(found, empty=False).items()
    }


def _finds_all(done: Run, sought: CheckPlan, every: Sample) -> bool:
    """Whether these statements go through all rows of their tables, of which production has no
    more, where every row is as they ask; and the run does what it does without the rows.
    """
    rows = {table: every.seeded[label] for label, table in every.tables.items()}
    mains = _asked_beside(done, every)
    through = all(every.run.read.get(one, 0) >= TOUCHED_ALL * rows[one] for one in mains)
    return every.finished and bool(mains) and through and _does_all(done, sought, every.run)


def _does_all(done: Run, sought: CheckPlan, found: Run) -> bool:
    """Whether a run that has found the rows does all that one without them does, but for inserting
    them.
    """
    made = {table for one in sought.sought for table, _ in one.columns}
    return _is_within(done, found, made)


def _chosen(plan: CheckPlan, done: Run, sought: CheckPlan, found: Run) -> CheckPlan:
    """The plan to go on with, from runs ``done`` without the rows and ``found`` with them.

    The rows stay where the migration does more with them.  Where it does no more, that it looks for
    them is settled.
    """
    unmatched, still = ({one.text for one in run.unmatched} for run in (done, found))
    no_further = _guards(found) <= _guards(done) and found.peak < done.peak + VISIBLE
    if no_further and _is_within(found, done) and still <= unmatched:
        return replace(plan, settled=plan.settled | (_guards(done) - _guards(found)))
    return sought if _does_all(done, sought, found) and unmatched <= still else plan


def settled(plan: CheckPlan, done: Run) -> Run:
    """The run without what it looked for and may find with no consequence."""
    if not plan.settled:
        return done
    guards = {
        table: [one for one in ways if (table, tuple(one)) not in plan.settled]
        for table, ways in done.guards.items()
    }
    return replace(
        done,
        guards={table: ways for table, ways in guards.items() if ways},
        migrations={label: settled(plan, one) for label, one in done.migrations.items()},
    )


def _guards(done: Run) -> set[tuple[str, tuple[str, ...]]]:
    return {(table, tuple(one)) for table, ways in done.guards.items() for one in ways}


def _is_within(done: Run, other: Run, made: Collection[str] = ()) -> bool:
    """Whether a run does nothing with the rows of tables that another one does not; of the ``made``
    ones it may insert rows that the other one finds.
    """
    return (
        done.loads <= other.loads
        and done.changed - {*made} <= other.changed
        and done.accessed_tables.keys() <= other.accessed_tables.keys()
        and done.processes <= other.processes
    )
