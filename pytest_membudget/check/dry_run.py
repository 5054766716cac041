"""Runs over empty tables or a few rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

from pytest_membudget.check.learning import learned
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_effects import few_rows
from pytest_membudget.check.sought_rows import settled, with_rows_sought
from pytest_membudget.errors import OutOfBudget, ServerError
from pytest_membudget.judge.matching import filter_values, loads_no_rows, merged_values
from pytest_membudget.judge.unlogged import has_own_sessions
from pytest_membudget.processes.messages.orders import TableModel
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.sample import ForcedValues, Outcome, Run, Sample

_DEADLINE = 30.0


def dry_run(
    plan: CheckPlan,
    server: ServerClient,
    tables: Mapping[str, TableModel],
    filled: Collection[str] = (),
    forced_values: ForcedValues | None = None,
) -> tuple[CheckPlan, Sample]:
    """Apply it to a few rows in each table of ``filled``, again where it breaks on these and that
    teaches something, which the plan has then.

    ``tables`` are the models of the state before it.
    """
    while True:
        again, sample = _run(plan, server, tables, filled, forced_values or {})
        if again is None:
            return plan, sample
        plan = again


def dry_runs(
    plan: CheckPlan, server: ServerClient, tables: Mapping[str, TableModel], filled: Collection[str]
) -> tuple[CheckPlan, list[Sample]]:
    """One run over a few rows, and one over rows that match its filters where it left some out."""
    plan, first = dry_run(plan, server, tables, filled, plan.forced_values)
    # Of a table that has some.
    sought = [one for one in first.run.sought if one[0] in filled]
    plan, first = with_rows_sought(
        plan,
        first,
        sought,
        lambda further: dry_run(further, server, tables, filled, further.forced_values),
    )
    few = {table: first.rows[tables[table].label] for table in filled}
    forced_values = {} if loads_no_rows(first.run) else _left_out(first.run, few)
    forced_values = merged_values(plan.forced_values, forced_values)
    if forced_values == plan.forced_values or first.run.peak > plan.budget.limit:
        return plan, [first]
    with suppress(ServerError):
        plan, second = dry_run(plan, server, tables, filled, forced_values)
        needed = {
            table: columns
            for table, columns in forced_values.items()
            if not _touches(first.run, table) and _touches(second.run, table)
        }
        if second.finished:
            plan = replace(plan, forced_values=merged_values(plan.forced_values, needed))
        return plan, [first, second]
    return plan, [first]


def _run(
    plan: CheckPlan,
    server: ServerClient,
    tables: Mapping[str, TableModel],
    filled: Collection[str],
    forced_values: ForcedValues,
) -> tuple[CheckPlan | None, Sample]:
    models = {table: tables[table].label for table in sorted(filled)}
    production = plan.production
    rows = {
        label: 0 if production.has_none(label) else few_rows(production.rows(table, label))
        for table, label in models.items()
    }
    budget = replace(plan.budget, rows={**rows, **dict.fromkeys(plan.without_rows, 0)}, seed=None)
    lessons = (*plan.lessons, *plan.sought)
    with closing(SeededDatabase(server, budget, plan.applied, lessons=lessons)) as seeded:
        if forced_values:
            seeded.force_values(forced_values)
        known: dict[str, Any] = {}
        if any(rows.values()):
            made = seeded.fill(max(rows.values()))
            known = {"seeded": made.rows, "tables": made.tables, "most": made.most}
        taken = seeded.take()
        job = plan.job(seeded, taken.name, deadline=max(_DEADLINE, budget.time_budget))
        uniques = {table: one.uniques for table, one in tables.items()}
        done = seeded.run(replace(job, tables=uniques))
        own = has_own_sessions(seeded.activity(taken.name), done, taken.sessions)
        if done.outcome == Outcome.TIMED_OUT and not done.begun:
            raise OutOfBudget(f"the migration did not begin within {job.deadline:.0f} s")
        done = replace(settled(plan, done), facts=replace(done.facts, own_sessions=own))
        sample = Sample(rows, done, **known)
        return learned(plan, seeded, sample)


def _touches(done: Run, table: str) -> bool:
    return bool(done.read.get(table) or done.written.get(table))


def _left_out(done: Run, few: dict[str, int]) -> ForcedValues:
    """The columns by which it left out rows that may lead to further tables."""
    return {
        table: columns
        for table, columns in filter_values(done, empty=False).items()
        if max(done.read.get(table, 0), done.written.get(table, 0)) < few.get(table, 0)
    }
