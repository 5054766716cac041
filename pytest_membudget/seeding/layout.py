"""From a historical model to the columns of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding import constraints
from pytest_membudget.seeding.columns import Column, Partial, Picked, Rows, Upward
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.fields import kind_of
from pytest_membudget.seeding.unique_together import Group
from pytest_membudget.seeding.unique_values import UniqueValues

if TYPE_CHECKING:
    from pytest_membudget.seeding.constraints import Unique
    from pytest_membudget.seeding.dialect import Dialect
    from pytest_membudget.seeding.staging_tables import StagingTables
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_WIDE = 10**8
"""Enough values for any table, so that a column can be unique on its own."""


class Designer:
    """Designs one table; ``parent`` gives the table of a model that this one refers to.

    ``widths`` are those that are known, by column.
    """

    def __init__(
        self,
        table: Table,
        staging: StagingTables,
        fresh: Mapping[str, Sequence[Any]],
        widths: Mapping[str, float],
        parent: Callable[[type[models.Model]], Table],
    ) -> None:
        self.table = table
        self.model = table.model
        self.dialect: Dialect = table.dialect
        self.fresh = fresh
        self.parent = parent
        self.rules = constraints.rules(self.model, self.dialect)
        self.uniques = UniqueValues(table, self.rules, staging, widths)

    def design(self) -> None:
        table, uniques = self.table, constraints.uniques(self.model)
        single = {unique.fields[0] for unique in uniques if self._unconditional(unique)}
        references = 0
        for field in self.dialect.columns(self.model):
            if isinstance(field, models.GeneratedField):
                continue
            if (held := self._held(field, single)) is not None:
                self._freeze(field, held)
            elif field.is_relation:
                table.columns[field.name] = self._reference(field, references)
                references += 1
            else:
                table.columns[field.name] = Column(field, self.dialect.column(field))
        for unique in uniques:
            self._settle(unique, uniques)
        table.rules += self.rules
        shared = {name for rule in table.rules if len(rule.fields) > 1 for name in rule.fields}
        for name in shared & table.columns.keys():
            column = table.columns[name]
            if isinstance(column, Picked):
                column.masked = column.field.null

    def _unconditional(self, unique: Unique) -> bool:
        return len(unique.fields) == 1 and unique.condition is None

    def _held(self, field: Field, single: set[str]) -> list[Any] | None:
        """The values that the column has to hold; none for those of one that was just added.

        None where it is free, or can't hold what is asked for.
        """
        wanted = self.fresh.get(field.name)
        if wanted is None:
            return None
        free = not (field.is_relation or field.name in single)
        if all(value is None for value in wanted):
            return [] if free or field.null else None
        held = []
        for value in wanted if free else ():
            with suppress(Exception):  # a field may raise anything
                held += [field.to_python(value)] if value is not None or field.null else []
        return held or None

    def _freeze(self, field: Field, held: list[Any]) -> None:
        """Give the column these values, or what rows get when it is added to their table."""
        column = Column(field, self.dialect.column(field))
        self.table.fresh[str(field.column)] = list(self.fresh[field.name]) if held else []
        if held:
            column.constant = held
        elif field.null:
            column.constant = [None]
        elif field.has_default():
            first, second = field.get_default(), field.get_default()
            # The value of a clock or of chance would make each run another one.
            column.constant, column.once = ([first], False) if first == second else ([], True)
        elif field.db_default is not models.NOT_PROVIDED:
            return
        elif field.blank and field.empty_strings_allowed:
            column.constant = [""]
        self.table.columns[field.name] = column

    def _reference(self, field: Any, place: int) -> Picked:
        target = field.target_field
        rows = Rows(self.parent(target.model), target)
        name = self.dialect.column(field)
        if rows.table is self.table:
            return Upward(field, name, domain=rows, index=_same)
        # Two references of a row to the same table should not meet in the same parent.
        return Picked(
            field, name, domain=rows, index=lambda i: f"(({i} - 1 + {place}) % {rows.size} + 1)"
        )

    def _settle(self, unique: Unique, every: Iterable[Unique]) -> None:
        columns = [self.table.columns[n] for n in unique.fields if n in self.table.columns]
        if any(column.alone for column in columns):
            return
        if any(column.constant == [None] for column in columns) and unique.nulls_distinct:
            return
        if any(set(group.members) <= set(columns) for group in self.table.groups):
            return
        members = [column for column in columns if not column.constant]
        grouped = {id(member) for group in self.table.groups for member in group.members}
        free = [column for column in members if id(column) not in grouped]
        wide = [column for column in free if self._wide(column, unique)]
        if len(members) == 1 and unique.condition is None:
            self._make_alone(members[0], unique.exact)
        elif wide:
            self._make_alone(min(wide, key=lambda column: self._price(column, every)), unique.exact)
        elif unique.condition is not None:
            self._avoid(unique)
        elif len(free) == len(members) and free:
            self.table.groups.append(
                Group(self.table, [self._limited(column, unique.exact) for column in free])
            )
        elif parents := [column for column in free if column.field.is_relation]:
            self._make_alone(parents[0], unique.exact)
        else:
            raise refusal(
                self.table.label,
                ", ".join(unique.fields),
                "nothing is left that could differ from row to row",
            )

    def _avoid(self, unique: Unique) -> None:
        self.rules.append(
            constraints.rule(
                f"unique {', '.join(unique.fields)}",
                unique.condition,
                "{}",
                self.model,
                self.dialect,
            )
        )

    def _wide(self, column: Column, unique: Unique) -> bool:
        field = column.field
        if field.is_relation or kind_of(field, self.dialect).choices:
            return False
        return self.uniques.sequence(field, unique.exact).size >= _WIDE

    def _price(self, column: Column, every: Iterable[Unique]) -> tuple[int, int, int]:
        """The less, the better does it become the one that is unique on its own."""
        name = column.field.name
        kind = kind_of(column.field, self.dialect).unique_rank
        compared = sum(len(rule.fields) > 1 and name in rule.fields for rule in self.rules)
        return compared, -sum(name in unique.fields for unique in every), kind

    def _make_alone(self, column: Column, exact: bool) -> None:
        field = column.field
        domain = (
            column.domain if isinstance(column, Picked) else self.uniques.sequence(field, exact)
        )
        foreign = isinstance(domain, Rows) and domain.table is not self.table
        kind = Partial if foreign and field.null else Picked
        self.table.columns[field.name] = kind(
            field, column.name, domain=domain, index=_same, alone=True
        )

    def _limited(self, column: Column, exact: bool) -> Picked:
        if isinstance(column, Upward) or not isinstance(column, Picked):
            domain = (
                column.domain
                if isinstance(column, Picked)
                else self.uniques.sequence(column.field, exact)
            )
            column = Picked(column.field, column.name, domain=domain, index=_same)
            self.table.columns[column.field.name] = column
        return column


def _same(i: str) -> str:
    return i
