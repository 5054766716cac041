"""One run over empty tables or a few rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.judge.unlogged import has_own_sessions
from pytest_membudget.processes.messages.orders import TableModel
from pytest_membudget.processes.server.client import ServerClient
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.launcher import run
from pytest_membudget.sample import ForcedValues, Run, Sample

_DEADLINE = 30.0
# What json, PostgreSQL and SQLite say of a text that is no JSON.
_NO_JSON = re.compile(r"JSONDecodeError|input syntax for type json|malformed JSON")


def reads_json(done: Run) -> bool:
    """Whether it broke because a text is no JSON, as no generated one is at first."""
    return _NO_JSON.search(done.failure) is not None


def dry_run(
    plan: CheckPlan,
    server: ServerClient,
    tables: Mapping[str, TableModel],
    few: Mapping[str, int],
    forced_values: ForcedValues | None = None,
) -> Sample:
    """Apply it to ``few`` rows by table; ``tables`` are the models of the state before it."""
    rows = {tables[table].label: few[table] for table in sorted(few)}
    budget = replace(plan.budget, rows=rows, seed=None)
    with closing(SeededDatabase(server, budget, plan.applied)) as seeded:
        if forced_values:
            seeded.force_values(forced_values)
        uniques = {table: one.uniques for table, one in tables.items()}

        def applied() -> tuple[str, Run]:
            if rows:
                seeded.fill(max(rows.values()))
            name = seeded.clone()
            job = plan.job(seeded, name, deadline=max(_DEADLINE, budget.time_budget))
            return name, run(replace(job, tables=uniques))

        name, done = applied()
        if rows and reads_json(done):
            seeded.make_texts_json()
            name, done = applied()
        own = has_own_sessions(seeded.activity(name), done)
        return Sample(rows, replace(done, facts=replace(done.facts, own_sessions=own)))
