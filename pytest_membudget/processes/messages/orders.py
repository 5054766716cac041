"""The orders to a database server process, each with its answer.

Migrations are ``(app label, name)`` pairs, models are named by their labels, columns and tables as
the database has them.  Databases are named as their scratch databases are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pytest_membudget.database.scratch.activity import Activity
from pytest_membudget.processes.messages.job import Key

A = TypeVar("A")
Uniques = list[list[str]]
"""Sets of columns of which values find a single row."""


@dataclass(frozen=True)
class Order(Generic[A]):
    """``A`` is the type of its answer.

    ``doing`` says to users what it does, ``builds_state`` that it builds the state before a
    migration, which may take longer than a check.
    """

    doing: ClassVar[str]
    builds_state: ClassVar[bool] = False


@dataclass(frozen=True)
class Prepared:
    """A new database, with the ``tables`` by model and the ``uniques`` by table."""

    name: str
    tables: dict[str, str]
    uniques: dict[str, Uniques]


@dataclass(frozen=True)
class Prepare(Order[Prepared]):
    """Make a database at the state where ``applied`` are applied; ``labels`` are its models."""

    doing = "building the state before the migration"
    builds_state = True
    applied: list[Key]
    labels: list[str]


@dataclass(frozen=True)
class MigrationWeight:
    """What migrations took on empty tables, in bytes of peak RSS as a Mark has it.

    ``models`` is how many models there are after them.
    """

    grown: int
    risen: int
    models: int


@dataclass(frozen=True)
class Weigh(Order[MigrationWeight | None]):
    """What ``migrations`` take on empty tables, in the state where ``after`` are applied.

    The answer is None where the kernel keeps no such figures.
    """

    doing = "applying the migration to empty tables"
    migrations: list[Key]
    after: list[Key]


@dataclass(frozen=True)
class TableModel:
    """The model of a table; ``parents`` are the tables that it refers to.

    ``through`` says that it was made for a ManyToManyField.
    """

    label: str
    parents: list[str]
    uniques: Uniques
    through: bool


@dataclass(frozen=True)
class StateTables:
    """``models`` by table, and ``others``: the tables and views that no model stands for."""

    models: dict[str, TableModel]
    others: list[str]


@dataclass(frozen=True)
class ListTables(Order[StateTables]):
    """The tables of the state where ``applied`` are applied."""

    doing = "listing the tables"
    builds_state = True
    applied: list[Key]


@dataclass(frozen=True)
class Count(Order[dict[str, int]]):
    """How many rows each of ``tables`` has in the database ``name``."""

    doing = "counting the rows"
    name: str
    tables: list[str]


@dataclass(frozen=True)
class Seeded:
    """``rows`` by model with all that was seeded unasked, ``widths`` in bytes by model and field.

    ``profile_mismatches`` names the fields, by model, whose width or share of NULLs is not the
    profile's; ``forced_values`` holds, by table, the columns that were seeded as it was asked for.
    ``size`` is how many bytes the database takes, ``free`` how many are left where it lies, None
    where that isn't known.
    """

    rows: dict[str, int]
    widths: dict[str, dict[str, int]]
    profile_mismatches: dict[str, list[str]]
    forced_values: dict[str, dict[str, list[Any]]]
    seconds: float
    size: int
    free: int | None


@dataclass(frozen=True)
class Seed(Order[Seeded]):
    """Fill the database ``name``, of the state where ``applied`` are applied, up to ``rows``.

    ``forced_values`` holds columns by table with the values to seed them with, in turn; a column
    without any is as empty as one that has just been added.  ``seed`` is the path of the user's
    function that makes the rows.  ``profile`` is what production's profile says of columns, by
    table and column; it counts for the first rows of a database, which later ones go on from.
    The order fails with ``no_room`` where the rows take more than ``most`` bytes, or than there is
    room for.
    """

    name: str
    applied: list[Key]
    rows: dict[str, int]
    forced_values: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    seed: str | None = None
    profile: Mapping[str, Mapping[str, Any]] | None = None
    most: int | None = None

    @property
    def doing(self) -> str:  # type: ignore[override]
        return self.seed or "generating the rows"


@dataclass(frozen=True)
class Clone(Order[str]):
    """Copy a database with its rows; the answer is the copy's name."""

    doing = "cloning the database"
    name: str


@dataclass(frozen=True)
class ReadActivity(Order[Activity | None]):
    """What the server counted in a database after a run; None where it can't be told."""

    doing = "reading what the server counted"
    name: str


@dataclass(frozen=True)
class Fingerprint(Order[dict[str, str]]):
    """A fingerprint of each table's rows; see database/fingerprint.py."""

    doing = "comparing the data"
    name: str


@dataclass(frozen=True)
class ListRefusals(Order[list[str]]):
    """The databases that earlier migrations, receivers and seeds were not let open."""

    doing = "listing what was refused"


@dataclass(frozen=True)
class Drop(Order[None]):
    """Drop a database."""

    doing = "dropping a database"
    name: str
