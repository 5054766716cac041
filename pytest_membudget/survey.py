"""A dry run over a few rows: which tables a migration goes to, so that only those are seeded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pytest_membudget.errors import StageError
from pytest_membudget.matching import asked_for
from pytest_membudget.measurement import Fresh, Run
from pytest_membudget.production import Production
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.subject import Subject
from pytest_membudget.verdict import ERROR, INCONCLUSIVE, WITHIN, Verdict
from pytest_membudget.worker import statements
from pytest_membudget.worker.launcher import run
from pytest_membudget.worker.stage_client import StageClient

_FEW = 20
# Of fewer than these it takes the same number, whatever the table holds, or finds none.
_SOME = _FEW / 4
_ROUNDS = 8
# About the most that a row was seen to take: 6.8 KiB for 330 bytes, in a bulk_update on PostgreSQL.
_MOST_BYTES, _MOST_TIMES = 8 * 1024, 25
_SMALL_SHARE = 0.05
_DEADLINE = 30.0
_NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class Survey:
    """``rows`` of the models to seed, the one that the migration goes to with the most rows first.

    ``unknown`` are labels of models that it goes to and of which nobody knows how many rows there
    are, ``without_model`` tables that can't be seeded for want of one; ``few`` says that the tables
    that it goes to have too few rows to matter; ``failure`` is what the migration raised, on tables
    that were empty or nearly so.
    """

    rows: dict[str, int]
    unknown: tuple[str, ...]
    without_model: tuple[str, ...]
    few: bool
    failure: str
    details: str
    processes: int


def told_apart(subject: Subject) -> Verdict | None:
    """A verdict at once, where the operations themselves tell that no row is touched."""
    if subject.told_apart is None:
        return None
    return Verdict(WITHIN, None, f"{subject.budget.label} {subject.told_apart}.")


def with_rows(
    subject: Subject, stage: StageClient, progress: Callable[[str], None]
) -> tuple[Subject, Verdict | None, str]:
    """The subject with rows to seed, or else a verdict with the details behind an error."""
    if subject.budget.rows:
        return subject, None, ""
    label = subject.budget.label
    found = survey(subject, subject.production, stage, progress)
    if found.unknown:
        names = ", ".join(found.unknown)
        source = subject.production.profile
        nobody = f"{source} does not say" if source else "nobody says"
        reason = (
            f"{label} goes to {names}, and {nobody} how many rows it has; take the profile anew, "
            f"or give --membudget-rows {found.unknown[0]}=N."
        )
        return subject, Verdict(INCONCLUSIVE, None, reason), ""
    if found.without_model:
        names = ", ".join(found.without_model)
        reason = (
            f"{label} goes to {names}, which no model stands for, so its rows can't be made; write "
            "a marked test with rows= and a seed= that makes them."
        )
        return subject, Verdict(INCONCLUSIVE, None, reason), ""
    if found.rows and found.few and not found.failure:
        goes_to = ", ".join(f"{count:,} {label}" for label, count in found.rows.items())
        reason = f"{label} goes to tables with too few rows to matter: {goes_to}."
        return subject, Verdict(WITHIN, None, reason), ""
    if found.rows:
        return replace(subject, budget=replace(subject.budget, rows=found.rows)), None, ""
    if found.failure:
        reason = f"{label} broke on a few rows: {found.failure}"
        return subject, Verdict(ERROR, None, reason), found.details
    if found.processes > 1:
        reason = (
            f"{label} ran {found.processes} processes, and the tables that they go to could not "
            "all be followed; write a marked test with rows=."
        )
        return subject, Verdict(INCONCLUSIVE, None, reason), ""
    return subject, Verdict(WITHIN, None, f"{label} goes to no table whose rows can add up."), ""


def survey(
    subject: Subject, production: Production, stage: StageClient, progress: Callable[[str], None]
) -> Survey:
    """Run it on empty tables, then on a few rows in those that it went to, until it is no more.

    Where its filters leave rows out, it is run on rows as they ask for as well.
    """
    present = stage.call("tables", applied=subject.applied)
    tables = present["models"]
    seeded: set[str] = set()
    runs: list[Run] = []
    for _ in range(_ROUNDS):
        progress(f"finding its tables with a few rows in {len(seeded)} of them")
        few = {table: _few_rows(production.rows(table, tables[table]["label"])) for table in seeded}
        runs = [_dry_run(subject, stage, tables, few)]
        if fresh := _left_out(runs[0], few):
            with suppress(StageError):
                runs.append(_dry_run(subject, stage, tables, few, fresh))
        went_to = {table for done in runs for table in done.went_to}
        met = went_to & tables.keys()
        unseen = met - seeded
        if not unseen:
            break
        seeded |= met
    grown = [
        table
        for table in sorted(met)
        if table in unseen or any(_grows_with(table, one, tables[table]["uniques"]) for one in runs)
    ]
    if grown:
        grown += sorted(table for table in met if all(_is_only_joined(table, one) for one in runs))
    known = {table: production.rows(table, tables[table]["label"]) for table in grown}
    rows = {table: count for table, count in known.items() if count}
    parents = {parent for table in rows for parent in tables[table]["parents"]} - rows.keys()
    of_parents = {
        table: count
        for table in sorted(parents & tables.keys())
        if (count := production.rows(table, tables[table]["label"]))
    }
    largest_first = sorted(rows.items(), key=lambda item: -item[1])
    return Survey(
        rows={
            tables[table]["label"]: count for table, count in [*largest_first, *of_parents.items()]
        },
        unknown=tuple(tables[table]["label"] for table in grown if known[table] is None),
        without_model=tuple(sorted(went_to & set(present["others"]))),
        few=all(
            _are_few(count, production.width(table), subject.budget.limit)
            for table, count in rows.items()
        ),
        failure=runs[0].failure,
        details=runs[0].details,
        processes=max(done.processes for done in runs),
    )


def _dry_run(
    subject: Subject,
    stage: StageClient,
    tables: dict[str, Any],
    few: dict[str, int],
    fresh: Fresh | None = None,
) -> Run:
    rows = {tables[table]["label"]: few[table] for table in sorted(few)}
    bed = Seedbed(stage, replace(subject.budget, rows=rows, seed=None), subject.applied)
    try:
        if fresh:
            bed.seed_fresh(fresh)
        if rows:
            bed.fill(max(rows.values()))
        order = subject.order(bed, bed.clone(), deadline=_DEADLINE, stop_above=_NO_LIMIT)
        return run(replace(order, tables={table: one["uniques"] for table, one in tables.items()}))
    finally:
        bed.close()


def _left_out(done: Run, few: dict[str, int]) -> Fresh:
    """The columns by which it left out rows that may lead to further tables."""
    return {
        table: columns
        for table, columns in asked_for(done, with_values=True).items()
        if max(done.read.get(table, 0), done.written.get(table, 0)) < few.get(table, 0)
    }


def _few_rows(production: int | None) -> int:
    """A table of three rows may have no room for more: its unique columns say so."""
    return max(1, min(_FEW, production or _FEW))


def _grows_with(table: str, done: Run, uniques: list[list[str]]) -> bool:
    """Whether more rows in a table may mean more in the process.

    Not where all that it takes are a few, without a choice or by a key that finds a single one.
    What none of a few rows meets may well be met in production.
    """
    taken = max(done.read.get(table, 0), done.written.get(table, 0))
    if taken >= _SOME or any(table in statements.tables(ending) for ending in done.unmatched):
        return True
    return any(
        columns and not any(all(f"{column}=" in columns for column in unique) for unique in uniques)
        for columns in done.went_to.get(table, ())
    )


def _are_few(rows: int, width: float | None, limit: int) -> bool:
    """Whether these rows, all of them held in the costliest way, are a small share of the limit."""
    if width is None:
        return False
    return rows * max(_MOST_BYTES, _MOST_TIMES * width) <= _SMALL_SHARE * limit


def _is_only_joined(table: str, done: Run) -> bool:
    """Rows are counted for the first table of a statement: it multiplies those of another one."""
    return not (table in done.read or table in done.written or any(done.went_to.get(table, ())))
