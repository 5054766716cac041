"""Decides which tables grow, and to how many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import DatabaseError, models
from django.db.migrations.state import StateApps

from pytest_membudget.database.error_text import message
from pytest_membudget.profile.production import StatsByColumn
from pytest_membudget.sample.lesson import Lesson
from pytest_membudget.seeding import constraints
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.layout import Layout
from pytest_membudget.seeding.prototypes import Prototypes
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table
from pytest_membudget.sql.row_sets import WHOLE_ROW

Model = type[models.Model]

_LINKS = 2
_ROUNDS = 100


class Plan:
    """The tables seen so far; each is laid out once, so that its later rows continue the first.

    ``links`` says that rows get links to others, where these have no prototypes; ``shares`` which
    share of the rows should have each forced value, by field.
    """

    def __init__(
        self,
        apps: StateApps,
        staging: StagingTables,
        forced_values: Mapping[str, Mapping[str, Sequence[Any]]],
        profile: StatsByColumn,
    ) -> None:
        self._apps = apps
        self._profile = profile
        self._staging = staging
        self._forced = {self.model(label): {**its} for label, its in forced_values.items()}
        for model, its in [*self._forced.items()]:
            if repeated := its.get(WHOLE_ROW):
                self._let_parents_agree(model, repeated)
        self._tables: dict[Model, Table] = {}
        self.lessons: Sequence[Lesson] = ()
        self.prototypes: Mapping[Model, Prototypes] = {}
        self.links = True
        self.shares: Mapping[Model, Mapping[str, Sequence[float]]] = {}

    def model(self, label: str) -> Model:
        """The model with the table that a label means."""
        try:
            model = self._apps.get_model(label)
        except (LookupError, ValueError) as error:
            raise refusal(label, None, "the model does not exist at this migration") from error
        if model._meta.swapped:
            raise refusal(label, None, f"it is swapped for {model._meta.swapped}")
        return _concrete(model)

    def grow(self, rows: Mapping[str, int]) -> list[Table]:
        """Set how many rows each table shall have; returns those that have too few yet."""
        for table in self._tables.values():
            table.want, table.requested = table.have, False
        for label, count in rows.items():
            table = self._table(self.model(label))
            table.requested = True
            table.require(table.prototypes.missing(count) if table.prototypes else count)
        asked = [table for table in self._tables.values() if table.requested]
        for _ in range(_ROUNDS):
            before = [table.want for table in self._tables.values()]
            for table in list(self._tables.values()):
                if table.want > table.have:
                    table.demand()
            for table in asked if self.links else ():
                self._link(table.model)
            self._follow()
            if before == [table.want for table in self._tables.values()]:
                break
        else:
            raise refusal(", ".join(rows), None, "its tables require ever more rows of each other")
        growing = [table for table in self._tables.values() if table.want > table.have]
        for table in growing:
            table.place()
        return growing

    def tables(self) -> list[Table]:
        return [table for table in self._tables.values() if table.want]

    def _follow(self) -> None:
        """Let the prototypes that refer to growing tables have as many rounds as these."""
        for model, its in self.prototypes.items():
            if its.grown_with and not its.named:
                parents = [self._table(parent) for parent in its.grown_with]
                rounds = min(one.want // one.prototypes.size for one in parents if one.prototypes)
                self._table(model).require(rounds * its.size)

    def _link(self, model: Model) -> None:
        """Let the rows of a model, and those it inherits, have links to others.

        Not where production has none.
        """
        for field in model._meta.many_to_many:
            through: Any = field.remote_field.through
            known = self._profile.get(through._meta.db_table, {}).values()
            if not through._meta.auto_created or any(one.rows == 0 for one in known):
                continue
            links = self._table(through)
            other = self._table(_concrete(field.remote_field.model))
            if links.requested or links.prototypes:
                continue
            other.ensure_rows()
            rows = self._table(field.model)
            each = min(_LINKS, other.want or other.existing)
            links.require(links.have + each * (rows.want - rows.have))

    def _table(self, model: Model) -> Table:
        if model not in self._tables:
            table = Table(
                model,
                self._staging,
                self._existing(model),
                lessons=self.lessons,
                prototypes=self.prototypes.get(model),
                shares=self.shares.get(model, {}),
            )
            # Models refer to each other in circles: known first, laid out then.
            self._tables[model] = table
            forced = self._forced.get(model, {})
            table.columns = Layout(table, forced, self._profile, self._table).columns()
        return self._tables[model]

    @cached_property
    def _views(self) -> set[str]:
        connection = self._staging.dialect.connection
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_list(cursor)
        return {one.name for one in found if one.type == "v"}

    def _let_parents_agree(self, model: Model, repeated: Sequence[Any]) -> None:
        """Where rows are to agree, and may not refer to the same row, let those agree to which they
        refer: what the migration computes of a row may be theirs.
        """
        unique = {name for one in constraints.uniques(model) for name in one.fields}
        for field in model._meta.local_concrete_fields:
            related: Any = field.related_model
            if related and field.name in unique and (parent := _concrete(related)) is not model:
                self._forced.setdefault(parent, {}).setdefault(WHOLE_ROW, repeated)

    def _existing(self, model: Model) -> int:
        if not model._meta.managed and model._meta.db_table in self._views:
            reason = "it is a view, whose rows are those of other tables"
            raise refusal(model._meta.label, None, reason)
        try:
            return model._base_manager.using(self._staging.dialect.connection.alias).count()
        except DatabaseError as error:
            label = model._meta.label
            raise refusal(label, None, "its table cannot be read", message(error)) from error


def _concrete(model: Model) -> Model:
    return model._meta.concrete_model or model
