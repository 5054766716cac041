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
from pytest_membudget.judge.growth_fit import VISIBLE
from pytest_membudget.sample import Run, Sample
from pytest_membudget.sample.lesson import Expected, Lesson

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
    further = [one for one in rows if one not in plan.sought]
    if not further or len(plan.sought) + len(further) > _MOST:
        return None
    return replace(plan, sought=(*plan.sought, *further))


def _chosen(plan: CheckPlan, done: Run, sought: CheckPlan, found: Run) -> CheckPlan:
    """The plan to go on with, from runs ``done`` without the rows and ``found`` with them.

    The rows stay where the migration does more with them.  Where it does no more, that it looks for
    them is settled.
    """
    no_further = _guards(found) <= _guards(done) and found.peak < done.peak + VISIBLE
    if no_further and _is_within(found, done):
        return replace(plan, settled=plan.settled | (_guards(done) - _guards(found)))
    return sought if _is_within(done, found) else plan


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


def _is_within(done: Run, other: Run) -> bool:
    """Whether a run does nothing with the rows of tables that another one does not."""
    return (
        done.loads <= other.loads
        and done.changed <= other.changed
        and done.accessed_tables.keys() <= other.accessed_tables.keys()
        and done.processes <= other.processes
        and {one.text for one in done.unmatched} <= {one.text for one in other.unmatched}
    )
