"""From a marker and the options to a complete budget, or to an error that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_membudget.budget.limit import limit_in_force
from pytest_membudget.budget.options import MARKER, Options, Setting
from pytest_membudget.budget.overrides import Override, read_overrides
from pytest_membudget.budget.request import DEFAULT_TIME_BUDGET, Budget, Request, read_marker
from pytest_membudget.budget.row_counts import read_production, rows_to_seed
from pytest_membudget.check.given_rows import absolute_rows_file, as_budget_error, require_seed
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.errors import BudgetError
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.processes.embedded.requirements import require_embedded
from pytest_membudget.project.settings import require_database, require_django

if TYPE_CHECKING:
    from pytest_membudget.project.selection import Gated

T = TypeVar("T")

# Of a large project each migration takes about a third of a second, in each of some ten runs.
_MORE_SECONDS = 3.0


def complete(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: Options,
    gated: Gated | None = None,
) -> CheckPlan:
    """Read a marker, or what is said of a migration of the gate, and hold it against the project.

    Raises BudgetError; opens no database.
    """
    request = read_marker(args, kwargs)
    require_django()
    if request.database is not None:
        require_database(request.database)
    from pytest_membudget.project import operations
    from pytest_membudget.project.graph import history, history_with
    from pytest_membudget.project.models import require_models, resolve_rows

    later = gated.later if gated else frozenset()
    with as_budget_error("the project's migrations can't be loaded"):
        keys = tuple(dict.fromkeys(history().find(name) for name in request.migration))
        project = history_with([*keys, *later])
        migrations = project.migrations(keys)
        database = request.database or operations.alias_of(migrations)
    require_database(database)
    if options.server.value is not None:
        require_embedded(database, options.server.value)
    findings = tuple(operations.findings(migrations, database))
    if request.reverse and (operation := operations.irreversible(migrations)):
        raise BudgetError(f"reverse=True: {keys[0][1]} can't be reversed: {operation}")
    applied = project.applied_before(keys, reverse=request.reverse, without=later)
    limit = limit_in_force(request.limit, options)
    if options.rows is not None:
        require_models(options.rows.value, f"membudget_rows, from {options.rows.source}")
    production = read_production(options)
    rows = rows_to_seed(request, options, production, gated=gated is not None)
    if request.seed is not None:
        require_seed(request.seed)
    where = f"{'after' if request.reverse else 'before'} {'.'.join(keys[0])}"
    resolved = {}
    if rows is not None:
        state, strict = project.state(applied), rows.source == MARKER
        found = resolve_rows(project, rows.value, state, where, strict=strict)
        resolved = _counted_first(found)
    if gated and gated.modified:
        findings = (*findings, _left_out(gated.modified))
    rows_file = None
    if options.rows_file is not None:
        rows_file = absolute_rows_file(options.rows_file)
    budget = Budget(
        migrations=keys,
        rows=resolved,
        limit=limit.value,
        limit_source=limit.source,
        database=database,
        seed=request.seed,
        grow=request.grow,
        reverse=request.reverse,
        time_budget=_time_budget(request, options, len(keys)),
        findings=findings,
        growth=options.growth.value if options.growth else None,
        rows_sources=dict.fromkeys(resolved, rows.source) if rows else {},
        rows_file=rows_file,
        max_duration=_value(request.max_duration, options.max_duration),
        limit_server=_value(request.limit_server, options.limit_server),
        speed=options.speed.value,
    )
    targets = project.migrate_targets(keys, reverse=request.reverse)
    return CheckPlan(
        budget=budget,
        applied=applied,
        targets=targets,
        touches_rows=operations.touches_rows(migrations, reverse=request.reverse),
        files=[operations.file_of(one) for one in migrations],
        named_numbers=operations.numbers(migrations, reverse=request.reverse),
        branches=operations.branches(migrations, reverse=request.reverse),
        production=production,
        gated=gated,
        mixed=operations.mixed(migrations),
        attribution=options.attribution.value,
        confirm=options.confirm.value == "yes",
    )


def _left_out(modified: Sequence[tuple[str, str]]) -> Finding:
    names = ", ".join(map(".".join, modified))
    return Finding(
        FindingCode.MODIFIED_LEFT_OUT,
        "left out of the deploy, because the git ref has their files with another text, so "
        f"production has applied them: {names}",
    )


def _time_budget(request: Request, options: Options, migrations: int) -> float:
    """That of the options is for one migration: to apply many to empty tables takes longer."""
    if request.time_budget is not None:
        return request.time_budget
    one = options.time_budget.value if options.time_budget else DEFAULT_TIME_BUDGET
    return one + _MORE_SECONDS * (migrations - 1)


def _counted_first(rows: dict[str, int]) -> dict[str, int]:
    """The first model is the one that is counted, so one without rows can't be it."""
    if not any(rows.values()):
        raise BudgetError(
            f"rows: all row counts are 0 ({', '.join(rows)}); add a model that has rows"
        )
    return dict(sorted(rows.items(), key=lambda item: not item[1]))


def select_migrations(what: str, rootpath: Path) -> list[Gated]:
    """The migrations that the gate is about.  Raises BudgetError."""
    require_django()
    from pytest_membudget.project.selection import select

    with as_budget_error("the project's migrations can't be loaded"):
        return select(what, rootpath)


@cache
def overrides(rootpath: Path) -> dict[tuple[str, str], Override]:
    """What pyproject.toml says of migrations, by their keys.  Raises BudgetError."""
    from pytest_membudget.project.graph import history

    found = {}
    for name, override in read_overrides(rootpath).items():
        try:
            found[history().find(name)] = override
        except (BudgetError, ValueError) as error:
            raise BudgetError(f"pyproject.toml: tool.membudget.migrations: {error}") from None
    return found


def override_of(keys: Sequence[tuple[str, str]], rootpath: Path) -> Override:
    """What pyproject.toml says of a migration; several of one deploy have nothing of their own.

    Raises BudgetError.
    """
    of_each = [overrides(rootpath).get(key, Override()) for key in keys]
    return of_each[0] if len(of_each) == 1 else Override()


def _value(asked: T | None, setting: Setting[T] | None) -> T | None:
    found = setting if asked is None else Setting(asked, MARKER)
    return None if found is None else found.value
