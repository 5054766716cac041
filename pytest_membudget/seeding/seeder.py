"""Seeds historical models at growing row counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from django.db import DatabaseError, transaction
from django.db.migrations.state import StateApps
from django.db.models import Model

from pytest_membudget.database.error_text import message
from pytest_membudget.errors import NoRoom
from pytest_membudget.profile.production import StatsByColumn
from pytest_membudget.sample.lesson import Lesson
from pytest_membudget.seeding.dialects import dialect_of
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.lessons import columns_holding, look_up_rows
from pytest_membudget.seeding.plan import Plan
from pytest_membudget.seeding.profile_fit import profile_mismatches
from pytest_membudget.seeding.prototypes import Prototypes
from pytest_membudget.seeding.sequences import UNLIMITED
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import SOME, Table
from pytest_membudget.seeding.template_rows import holding, template_of
from pytest_membudget.units import format_size

_TEMPLATES = 1000
_FEWEST = 50
_BYTES = 32 << 20
"""Template rows of a table, what they should not exceed together, and how few that may leave."""


@dataclass(frozen=True)
class Seeded:
    """What a database holds after a call of :meth:`Seeder.grow`.

    ``rows``: label -> seeded rows, those of parents and M2M through tables included.
    ``tables``: label -> table, of the same.
    ``widths``: label -> column -> average bytes of its values as stored, NULLs left out.
    ``profile_mismatches``: label -> columns whose width or share of NULLs is not the profile's.
    ``forced_values``: table -> columns with forced values, and the values, if any.
    ``shares``: table -> columns of which a share of the rows has each forced value, and the shares
    that these came to.
    ``most``: label -> how many rows its unique columns leave room for, where these are few.
    """

    rows: dict[str, int]
    tables: dict[str, str]
    widths: dict[str, dict[str, int]]
    profile_mismatches: dict[str, list[str]]
    forced_values: dict[str, dict[str, list[Any]]]
    shares: dict[str, dict[str, list[float]]]
    most: dict[str, int]


class Seeder:
    """Fills the tables of one scratch database, further with each call of :meth:`grow`.

    ``forced_values`` names fields, by label, that hold the values that come with them, in turn, or
    that look as if the column had just been added where there are none: NULL, or else the default,
    or else empty. ``shares`` says, for some of them, which share of the rows has each value. Rows
    that were there before the first call stay as they are and are not counted.
    The same calls on the same database give the same rows.

    ``profile`` says, by table and column, what production's values are like. What the model's own
    rules ask for comes before it, and so does what ``forced_values`` says.  The ``lessons`` are
    what a migration expects of rows.  No table will have more than ``largest`` rows.  Where there
    are ``prototypes``, by model, all rows are copies of these, which are counted; without ``links``
    only they say which rows are linked by a ManyToManyField.
    """

    def __init__(
        self,
        apps: StateApps,
        using: str,
        *,
        forced_values: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
        shares: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
        profile: StatsByColumn | None = None,
        lessons: Sequence[Lesson] = (),
        largest: float = inf,
        prototypes: Mapping[type[Model], Prototypes] | None = None,
        links: bool = True,
    ) -> None:
        self._staging = StagingTables(dialect_of(using))
        self._plan = Plan(apps, self._staging, forced_values or {}, profile or {})
        self._plan.shares = {self._plan.model(m): its for m, its in (shares or {}).items()}
        self._plan.lessons = self._lessons = lessons
        self._plan.prototypes = prototypes or {}
        self._plan.links = links
        self._templates = int(min(_TEMPLATES, max(SOME, largest)))

    def grow(self, rows: Mapping[str, int], room: float = inf) -> Seeded:
        """Add rows until each label has ``rows`` rows, and the rows that they refer to.

        Raises NoRoom, before anything is written, where that takes more than ``room`` bytes.
        Raises :class:`~pytest_membudget.errors.SeedError` for a model that cannot be seeded; the
        database is then as it was before, and this seeder of no further use.
        """
        at, dialect = ", ".join(rows), self._staging.dialect
        try:
            with dialect.fast(), transaction.atomic(using=dialect.connection.alias):
                growing = self._plan.grow(rows)
                _check_room(growing, room)
                if growing:
                    dialect.trust(table.model._meta.db_table for table in growing)
                for table in self._plan.tables():
                    table.prepare(max(table.want, self._templates))
                for table in growing:
                    at = table.label
                    self._insert(table)
                look_up_rows(growing, self._lessons)
                self._staging.clear()
        except DatabaseError as error:
            raise refusal(at, None, message(error).splitlines()[0], message(error)) from error
        for table in growing:
            table.grown()
        tables = self._plan.tables()
        models = [*self._plan.prototypes, *(table.model for table in tables)]
        return Seeded(
            {table.label: table.have for table in tables} | self._copied(),
            {one._meta.label: one._meta.db_table for one in models},
            {table.label: dialect.widths(table.model) for table in tables},
            {table.label: table.mismatches for table in tables if table.mismatches},
            {t.model._meta.db_table: t.forced_values for t in tables if t.forced_values},
            {t.model._meta.db_table: its for t in tables if (its := t.seeded_shares())},
            {t.label: n for t in tables if (n := t.capacity()[0]) < UNLIMITED},
        )

    def holding(self, value: Any) -> list[tuple[str, str]]:
        """The columns, by table, in which rows of this seeder's hold a value."""
        return columns_holding(self._plan.tables(), value)

    def _insert(self, table: Table) -> None:
        is_first = table.template is None
        template = table.template or template_of(table, self._template_size(table))
        table.template = template
        with holding(table, template.rows):
            table.dialect.execute(table.growth(template))
        table.dialect.finish(table.model)
        if is_first:
            table.mismatches = profile_mismatches(table, template.size)

    def _copied(self) -> dict[str, int]:
        """The rows of tables with prototypes, which are counted."""
        have = {table.model: table.have for table in self._plan.tables()}
        return {
            model._meta.label: its.size + have.get(model, 0)
            for model, its in self._plan.prototypes.items()
        }

    def _template_size(self, table: Table) -> int:
        """Fewer rows where their values are wide, but enough to show a share of NULLs."""
        size = self._templates if table.requested or table.want > SOME else SOME
        return max(min(_FEWEST, size), min(size, int(_BYTES / max(1, table.width))))


def _check_room(growing: list[Table], room: float) -> None:
    """Use the widths that the profile has; other values have some dozen bytes."""
    sizes = {table: table.width * (table.want - table.have) for table in growing}
    if sum(sizes.values()) > room:
        table = max(growing, key=lambda table: sizes[table])
        rows, size = f"{table.want - table.have:,} rows", format_size(sizes[table])
        raise NoRoom(
            f"{rows} of {table.label} need {size} of disk space, and {format_size(room)} is free"
        )
