"""One run over empty tables or a few rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import replace

from pytest_membudget.check.learning import learned
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_effects import few_rows
from pytest_membudget.check.sought_rows import settled
from pytest_membudget.errors import OutOfBudget
from pytest_membudget.judge.unlogged import has_own_sessions
from pytest_membudget.processes.messages.orders import TableModel
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.sample import ForcedValues, Outcome, Sample

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


def _run(
    plan: CheckPlan,
    server: ServerClient,
    tables: Mapping[str, TableModel],
    filled: Collection[str],
    forced_values: ForcedValues,
) -> tuple[CheckPlan | None, Sample]:
    models = {table: tables[table].label for table in sorted(filled)}
    rows = {label: few_rows(plan.production.rows(table, label)) for table, label in models.items()}
    budget = replace(plan.budget, rows=rows, seed=None)
    lessons = (*plan.lessons, *plan.sought)
    with closing(SeededDatabase(server, budget, plan.applied, lessons=lessons)) as seeded:
        if forced_values:
            seeded.force_values(forced_values)
        if rows:
            seeded.fill(max(rows.values()))
        name = seeded.clone()
        job = plan.job(seeded, name, deadline=max(_DEADLINE, budget.time_budget))
        done = run(replace(job, tables={table: one.uniques for table, one in tables.items()}))
        own = has_own_sessions(seeded.activity(name), done)
        if done.outcome == Outcome.TIMED_OUT and not done.begun:
            raise OutOfBudget(f"the migration did not begin within {job.deadline:.0f} s")
        done = replace(settled(plan, done), facts=replace(done.facts, own_sessions=own))
        sample = Sample(rows, done)
        return learned(plan, seeded, sample)
