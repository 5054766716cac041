"""The orders to a database server process, each with its answer.

Migrations are ``(app label, name)`` pairs, models are named by their labels, columns and tables as
the database has them.  Databases are named as their scratch databases are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pytest_membudget.database.scratch.activity import Activity
from pytest_membudget.processes.messages.job import Key
from pytest_membudget.processes.stopwatch import CLONING, SEEDING, STATE
from pytest_membudget.profile.production import StatsByColumn
from pytest_membudget.sample import ForcedValues, Shares
from pytest_membudget.sample.lesson import Lesson

A = TypeVar("A")
Uniques = list[list[str]]
"""Sets of columns whose values find a single row."""


@dataclass(frozen=True)
class Order(Generic[A]):
    """``A`` is the type of its answer.

    With ``builds_state`` it may build the state before a migration, which has a time limit of its
    own; ``doing`` says to users what any other order does, and ``part`` what part of a check it is.
    """

    doing: ClassVar[str] = ""
    part: ClassVar[str] = CLONING
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

    builds_state, part = True, STATE
    applied: list[Key]
    labels: list[str]


@dataclass(frozen=True)
class MigrationWeight:
    """What migrations took on empty tables, in bytes of peak RSS, see Marks.

    ``models`` is how many models there are after them.
    """

    grown: int
    risen: int
    models: int


@dataclass(frozen=True)
class Weigh(Order[MigrationWeight | None]):
    """Measure ``migrations`` on empty tables, where needed by building the state of ``applied``.

    The answer is None where the kernel keeps no such figures.
    """

    builds_state, part = True, STATE
    migrations: list[Key]
    applied: list[Key]


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
    """``models`` by table, and ``others``: the tables and views without a model."""

    models: dict[str, TableModel]
    others: list[str]


@dataclass(frozen=True)
class ListTables(Order[StateTables]):
    """List the tables of the state where ``applied`` are applied."""

    builds_state, part = True, STATE
    applied: list[Key]


@dataclass(frozen=True)
class Count(Order[dict[str, int]]):
    """Count the rows of each of ``tables`` in the database ``name``."""

    doing = "counting the rows"
    name: str
    tables: list[str]


@dataclass(frozen=True)
class Seeded:
    """``rows`` are those of each model, the tables that these refer to included.

    The database takes ``size`` bytes; ``free`` bytes are left on its disk, None where that isn't
    known.  ``tables`` are those of the models; ``widths``, ``profile_mismatches``,
    ``forced_values``, ``shares`` and ``most`` are as the seeder has them; the user's function tells
    none.
    ``copied`` are the models whose rows are copies of a file's.
    """

    rows: dict[str, int]
    seconds: float
    size: int
    free: int | None
    tables: dict[str, str] = field(default_factory=dict)
    widths: dict[str, dict[str, int]] = field(default_factory=dict)
    profile_mismatches: dict[str, list[str]] = field(default_factory=dict)
    forced_values: ForcedValues = field(default_factory=dict)
    shares: Shares = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seed(Order[Seeded]):
    """Fill the database ``name``, of the state where ``applied`` are applied, up to ``rows``.

    ``largest`` is the most rows that a table will have.  ``forced_values`` holds columns by table
    with the values to seed them with, in turn, or each in one of the ``shares`` of the rows; a
    column without values is seeded as if it had just been added.  ``seed`` is the path of the
    user's function that makes the rows; with ``grow`` it, or a fixture there, makes about a
    thousand, which grow.  ``profile`` is production's profile by table and column; it is read with
    the first order for a database, as are ``largest``, the ``lessons`` of earlier runs and
    ``rows_file``, the path of a file whose rows grow where there is no ``seed``.  The order fails
    with ``no_room`` where the rows take more than ``most`` bytes, or more than there is room for.
    """

    part = SEEDING
    name: str
    applied: list[Key]
    rows: dict[str, int]
    largest: int
    forced_values: ForcedValues = field(default_factory=dict)
    shares: Shares = field(default_factory=dict)
    seed: str | None = None
    grow: bool = False
    rows_file: str | None = None
    profile: StatsByColumn | None = None
    lessons: list[Lesson] = field(default_factory=list)
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
class Taken:
    """The ``name`` of a database, and how many ``sessions`` it has had; None where one is open."""

    name: str
    sessions: int | None


@dataclass(frozen=True)
class Take(Order[Taken]):
    """Have a run use up the database ``name``, or a copy where the server's counts need one."""

    doing = "cloning the database"
    name: str


@dataclass(frozen=True)
class EndSessions(Order[bool]):
    """End what a process that was killed has left on the server; the answer is whether it ended."""

    doing = "ending a statement"
    name: str


@dataclass(frozen=True)
class FindColumns(Order[list[tuple[str, str]]]):
    """Find the columns, by table, in which generated rows of the database ``name`` hold a value.

    An empty text stands for any long one.
    """

    doing = "finding the column of a value"
    name: str
    value: Any


@dataclass(frozen=True)
class ReadActivity(Order[Activity | None]):
    """Read the server's statistics of a database after a run; None where there are none."""

    doing = "reading what the server counted"
    name: str


@dataclass(frozen=True)
class Fingerprint(Order[dict[str, dict[str, str]]]):
    """Make a fingerprint of each column, by table; see database/fingerprint.py."""

    doing = "comparing the data"
    name: str


@dataclass(frozen=True)
class ListRefusals(Order[list[str]]):
    """List the databases that earlier migrations, receivers and seeds were refused."""

    doing = "listing what was refused"


@dataclass(frozen=True)
class Drop(Order[None]):
    """Drop a database."""

    doing = "dropping a database"
    name: str
