"""What is asked: the migration, production's rows, the limit, and where each came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pytest_membudget.budget.readers import (
    RowGrowth,
    is_dotted,
    named,
    read_limit,
    read_rows,
    read_server_limit,
)
from pytest_membudget.errors import BudgetError
from pytest_membudget.finding import Finding
from pytest_membudget.texts import shown, visible
from pytest_membudget.units import format_rows, parse_seconds

DEFAULT_TIME_BUDGET = 60.0
_FEW = 3
FIXTURES = (".json", ".jsonl", ".yaml", ".yml")

MigrationName = str | tuple[str, str]


@dataclass(frozen=True)
class Request:
    """The arguments of one ``membudget`` marker, read but not yet held against the project.

    ``rows`` maps a model label to production's row count; ``limit`` is what read_limit() returns;
    ``database`` is None where the project's routers have to say; ``seed`` is a dotted path that a
    fresh process can import, or the path of a fixture; ``grow`` says that it makes about a thousand
    rows, which grow inside the database.  ``max_duration`` is seconds, ``limit_server`` bytes.
    """

    migration: tuple[MigrationName, ...]
    rows: Mapping[str, int] | None = None
    limit: int | str | None = None
    database: str | None = None
    seed: str | None = None
    grow: bool = False
    reverse: bool = False
    time_budget: float | None = None
    max_duration: float | None = None
    limit_server: int | None = None


@dataclass(frozen=True)
class Budget:
    """One question, complete: does this migration fit ``limit`` bytes at ``rows`` rows?

    ``migrations`` are ``(app_label, name)`` keys of the project's migration graph in the order
    in which they are applied.  ``rows`` is keyed by canonical label, ``"shop.Order"``;
    ``rows_sources`` says where those come from that were asked for; ``growth`` is that of
    production's rows, where it is stated.  ``rows_file`` is the absolute path of a file whose rows
    grow where there is no ``seed``.  At production's rows it may take ``max_duration`` seconds, and
    ``limit_server`` bytes of the database server; ``speed`` is production's relative to this
    machine's.
    """

    migrations: tuple[tuple[str, str], ...]
    rows: dict[str, int]
    limit: int
    limit_source: str
    database: str = "default"
    seed: str | None = None
    grow: bool = False
    reverse: bool = False
    time_budget: float = DEFAULT_TIME_BUDGET
    findings: tuple[Finding, ...] = ()
    growth: RowGrowth | None = None
    rows_sources: Mapping[str, str] = field(default_factory=dict)
    rows_file: str | None = None
    max_duration: float | None = None
    limit_server: int | None = None
    speed: float = 1.0

    @property
    def depends_on_tables(self) -> bool:
        """Whether rows matter that stay in the database: they take its time and its memory."""
        return self.max_duration is not None or self.limit_server is not None

    @property
    def seeds_anew(self) -> bool:
        """Whether each sample's rows are made by a call of ``seed``."""
        return self.seed is not None and not self.grow

    @property
    def label(self) -> str:
        return label_of(self.migrations)

    @property
    def subject(self) -> str:
        """What a sentence is about: the label, and that it is the way back."""
        return self.label + (" (reverse)" if self.reverse else "")

    @property
    def counted_model(self) -> str:
        """The model that ``bytes_per_row`` and ``fits_up_to_rows`` count: the first of ``rows``."""
        return next(iter(self.rows))

    def counted(self, rows: Mapping[str, int]) -> str:
        """``"50,000 shop.Order"``: so many of ``rows`` are of that model."""
        return f"{format_rows(rows[self.counted_model])} {self.counted_model}"

    @property
    def largest(self) -> int:
        """Rows of the model with the most of them, which the size of a sample counts."""
        return max(self.rows.values(), default=0)

    @property
    def share(self) -> float:
        """How many rows of the counted model there are for one of the largest."""
        return self.rows[self.counted_model] / self.largest if self.largest else 1.0

    def to_counted(self, rows: float | None) -> int | None:
        """So many rows of the largest model, in rows of the counted one; None stays None."""
        return None if rows is None else int(rows * self.share)


def label_of(migrations: Sequence[tuple[str, str]]) -> str:
    """``"shop.0002_backfill_total"``; a few are joined with ``" + "``, many are counted."""
    names = [".".join(key) for key in migrations]
    if len(names) <= _FEW:
        return " + ".join(names)
    return f"{names[0]} … and {len(names) - 1} more"


def read_marker(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Request:
    """Read a marker's arguments.  Raises BudgetError, which names the argument at fault."""
    try:
        given = _given(*args, **kwargs)
        request = Request(**{name: _READERS[name](value) for name, value in given.items()})
    except TypeError as error:
        problem = visible(str(error).replace("_given()", "membudget()"), keep="")
        raise BudgetError(f"{problem}; its arguments are {', '.join(_READERS)}") from None
    if request.seed is None and request.grow:
        raise BudgetError("grow=True has no rows to grow: add seed= with what makes some")
    if request.seed is None or not is_fixture(request.seed):
        return request
    if given.get("grow") is False:
        raise BudgetError(f"grow=False: the rows of the fixture {shown(request.seed)} always grow")
    return replace(request, grow=True)


def is_fixture(seed: str) -> bool:
    return seed.endswith(FIXTURES)


def _given(migration: object, **others: object) -> dict[str, object]:
    for name in others:
        if name not in _READERS:
            raise TypeError(f"_given() got an unexpected keyword argument {name!r}")
    said = {name: one for name, one in others.items() if one is not None or name == "reverse"}
    return {"migration": migration, **said}


def _read_migrations(value: object) -> tuple[MigrationName, ...]:
    wanted = value if isinstance(value, list) else [value]
    if not wanted:
        raise BudgetError("migration=[] names no migration")
    return tuple(map(_read_migration, wanted))


def _read_migration(value: object) -> MigrationName:
    if isinstance(value, str) and is_dotted(value):
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


def _read_database(value: object) -> str:
    if not isinstance(value, str):
        raise BudgetError(f'database={shown(value)} is not an alias; write "default"')
    return value


def _read_seed(value: object) -> str:
    if isinstance(value, str):
        if is_fixture(value):
            return value
        if "." not in value or not all(part.isidentifier() for part in value.split(".")):
            raise BudgetError(
                f'seed={shown(value)} is neither a dotted path such as "shop.seeds.orders" nor a '
                f"fixture, which ends in {', '.join(FIXTURES)}"
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


def _read_flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BudgetError(f"{name}={shown(value)} is neither True nor False")
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "migration": _read_migrations,
    "rows": _read_marker_rows,
    "limit": partial(named, "limit", read_limit),
    "database": _read_database,
    "seed": _read_seed,
    "grow": partial(_read_flag, "grow"),
    "reverse": partial(_read_flag, "reverse"),
    "time_budget": partial(named, "time_budget", parse_seconds),
    "max_duration": partial(named, "max_duration", parse_seconds),
    "limit_server": partial(named, "limit_server", read_server_limit),
}
