"""What is asked: the migration, production's rows, the limit, and where each came from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_membudget.budget.growth import Growth
from pytest_membudget.budget.growth import read_growth as read_growth
from pytest_membudget.budget.row_scale import RowScale
from pytest_membudget.errors import BudgetError
from pytest_membudget.finding import Finding
from pytest_membudget.texts import shown, visible
from pytest_membudget.units import format_size, parse_rows, parse_seconds, parse_size

DEFAULT_TIME_BUDGET = 60.0
LEAST_LIMIT = 1000**2
"""A limit below it is a slip: an interpreter alone takes some 8 MiB."""
_USUAL_LIMITS = (32 * 1024**2, 64 * 1024**3)
_FEW = 3
ATTRIBUTION = ("failed", "always", "never")

MigrationName = str | tuple[str, str]


@dataclass(frozen=True)
class Request:
    """The arguments of one ``membudget`` marker, read but not yet held against the project.

    ``rows`` maps a model label to production's row count; ``limit`` is bytes or ``"cgroup"``;
    ``database`` is None where the project's routers have to say; ``seed`` is a dotted path that a
    fresh process can import.
    """

    migrations: tuple[MigrationName, ...]
    rows: Mapping[str, int] | None
    limit: int | str | None
    database: str | None
    seed: str | None
    reverse: bool
    time_budget: float | None


@dataclass(frozen=True)
class Budget:
    """One question, complete: does this migration fit ``limit`` bytes at ``rows`` rows?

    ``migrations`` are ``(app_label, name)`` keys of the project's migration graph in the order
    in which they are applied.  ``rows`` is keyed by canonical label, ``"shop.Order"``; ``growth``
    is that of production's rows, where it is stated.
    """

    migrations: tuple[tuple[str, str], ...]
    rows: dict[str, int]
    limit: int
    limit_source: str
    database: str = "default"
    seed: str | None = None
    reverse: bool = False
    time_budget: float = DEFAULT_TIME_BUDGET
    findings: tuple[Finding, ...] = ()
    growth: Growth | None = None

    @property
    def label(self) -> str:
        """``"shop.0002_backfill_total"``; a few are joined with ``" + "``, many are counted."""
        names = [".".join(key) for key in self.migrations]
        if len(names) <= _FEW:
            return " + ".join(names)
        return f"{names[0]} … {names[-1]} ({len(names)} migrations)"

    @property
    def counted_model(self) -> str:
        """The model that ``bytes_per_row`` and ``fits_up_to_rows`` count: the first of ``rows``."""
        return next(iter(self.rows))

    @property
    def scale(self) -> RowScale:
        counted = self.rows[self.counted_model] if self.rows else 0
        return RowScale(counted, max(self.rows.values(), default=0))


def read_marker(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Request:
    """Read a marker's arguments.  Raises BudgetError, which names the argument at fault."""
    try:
        return _signature(*args, **kwargs)
    except TypeError as error:
        allowed = "migration, rows, limit, database, seed, reverse, time_budget"
        problem = visible(str(error).replace("_signature()", "membudget()"), keep="")
        raise BudgetError(f"{problem}; its arguments are {allowed}") from None


def _signature(
    migration: object,
    *,
    rows: object = None,
    limit: object = None,
    database: object = None,
    seed: object = None,
    reverse: object = False,
    time_budget: object = None,
) -> Request:
    if not isinstance(database, str | None):
        raise BudgetError(f'database={shown(database)} is not an alias; write "default"')
    if not isinstance(reverse, bool):
        raise BudgetError(f"reverse={shown(reverse)} is neither True nor False")
    return Request(
        migrations=_read_migrations(migration),
        rows=None if rows is None else _read_marker_rows(rows),
        limit=None if limit is None else _named("limit", read_limit, limit),
        database=database,
        seed=None if seed is None else _read_seed(seed),
        reverse=reverse,
        time_budget=None
        if time_budget is None
        else _named("time_budget", parse_seconds, time_budget),
    )


def _read_migrations(value: object) -> tuple[MigrationName, ...]:
    wanted = list(value) if isinstance(value, list) else [value]
    if not wanted:
        raise BudgetError("migration=[] names no migration")
    return tuple(_read_migration(one) for one in wanted)


def _read_migration(value: object) -> MigrationName:
    if isinstance(value, str) and _is_dotted(value):
        return value
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, str) for v in value):
        return (value[0], value[1])
    raise BudgetError(
        f'migration={shown(value)} names no migration; write "app_label.name", '
        'for instance "shop.0002_backfill_total"'
    )


def _read_marker_rows(value: object) -> dict[str, int]:
    rows = read_rows(value)
    first = next(iter(rows))
    if not rows[first]:
        raise BudgetError(
            f"rows[{first!r}]: the first model can't have 0 rows, because the verdict counts its "
            "rows; put a model that has rows first"
        )
    return rows


def read_rows(value: object) -> dict[str, int]:
    """Read ``{"shop.Order": 1_700_000}``; the order is kept, the first model is the counted one.

    ``0`` says of a model that it has no rows.
    """
    if not isinstance(value, Mapping) or not value:
        raise BudgetError(
            f'rows={shown(value)} is not a mapping such as {{"shop.Order": 1_700_000}}'
        )
    rows = {}
    for label, count in value.items():
        if not isinstance(label, str) or (label != "*" and not _is_dotted(label)):
            raise BudgetError(f'rows: {shown(label)} is not a model; write "app_label.Model"')
        rows[label] = _named(f"rows[{shown(label)}]", parse_rows, count)
    return rows


def read_rows_lines(lines: Sequence[str]) -> dict[str, int]:
    """Read ``MODEL=N`` items, as the command line and the ini file give them."""
    pairs = [line.partition("=") for line in lines]
    for line, (label, _, count) in zip(lines, pairs, strict=True):
        if not label.strip() or not count.strip():
            raise BudgetError(f"{shown(line)} is not MODEL=N, for instance shop.Order=1_700_000")
    return read_rows({label.strip(): count.strip() for label, _, count in pairs})


def read_limit(value: object) -> int | str:
    """Read a limit, 1 MB or more.

    ``"cgroup"`` stands for the memory limit of this process's own container.
    """
    if value == "cgroup" and isinstance(value, str):
        return value
    size = parse_size(value)
    if size < LEAST_LIMIT:
        raise BudgetError(
            f"{shown(value)} is {format_size(size)}, too little for a Python process to start; "
            f"{_meant_limit(value)}"
        )
    return size


def _meant_limit(value: object) -> str:
    """What its number was meant to be: the unit with which it is a usual limit."""
    match = re.match(r"[\d_.]+", str(value).strip())
    number = match[0].rstrip(".") if match else ""
    least, most = _USUAL_LIMITS
    for unit in ("Mi", "Gi", "Ki") if number else ():
        if least <= parse_size(f"{number}{unit}") <= most:
            return f"did you mean {number}{unit}?"
    return 'write "512Mi", "2GiB" or "500M"'


def read_inconclusive(value: object) -> str:
    """Read what an inconclusive verdict does to the test: ``"fail"`` or ``"warn"``."""
    if value not in ("fail", "warn"):
        raise BudgetError(f'{shown(value)} is neither "fail" nor "warn"')
    return str(value)


def read_attribution(value: object) -> str:
    """Read whose growth is told by line: ``"failed"`` checks, ``"always"`` all, or ``"never"``."""
    if value not in ATTRIBUTION:
        raise BudgetError(f'{shown(value)} is none of "failed", "always" and "never"')
    return str(value)


def read_output_path(value: object) -> str:
    """Read where a report goes: a file in a folder that is there or can be made."""
    try:
        path = Path(str(value))
        above = next((folder for folder in path.absolute().parents if folder.exists()), path)
        there = path if path.exists() else above
        possible = not path.is_dir() and above.is_dir() and os.access(there, os.W_OK)
    except (OSError, ValueError):  # too long, or not for this user to look at; a null character
        possible = False
    if not possible:
        raise BudgetError(f"{str(value)!r} is not a path that a file can be written to")
    return str(value)


def _is_dotted(value: str) -> bool:
    return value.count(".") == 1 and all(value.split("."))


def _read_seed(value: object) -> str:
    if isinstance(value, str):
        if "." not in value or not all(part.isidentifier() for part in value.split(".")):
            raise BudgetError(
                f'seed={shown(value)} is not a dotted path such as "shop.seeds.orders"'
            )
        return value
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None)
    if not callable(value) or module is None or name is None or not name.isidentifier():
        raise BudgetError(
            f"seed={shown(value)} can't be imported by a new process; "
            "pass a function at the top level of a module, or its dotted path"
        )
    return f"{module}.{name}"


def _named(name: str, read: Callable[[object], Any], value: object) -> Any:
    try:
        return read(value)
    except BudgetError as error:
        raise BudgetError(f"{name}: {error}") from None
