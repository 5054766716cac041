"""The columns of a table that hold what statements ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models

from pytest_membudget.profile.production import ColumnStats
from pytest_membudget.seeding.columns import ConstantColumn, DrawnColumn
from pytest_membudget.seeding.constraints import Unique
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields.json import Json, JsonText
from pytest_membudget.seeding.forced_values import forced_column, storable_values
from pytest_membudget.seeding.lessons import looked_up, others
from pytest_membudget.seeding.portions import PortionedColumn, portions
from pytest_membudget.seeding.table import Table
from pytest_membudget.sql.row_sets import UNREFERRED, WHOLE_ROW, is_of_rows, times_of
from pytest_membudget.sql.table_names import is_own_of_django

# How far, as a share, the profile's average width of a text may be from the default's.
_SAME_WIDTH = 0.1


class AskedColumns:
    """Sets columns of ``table`` before all others get theirs."""

    def __init__(
        self, table: Table, uniques: Sequence[Unique], stats: Mapping[str, ColumnStats]
    ) -> None:
        self._table = table
        self._uniques = uniques
        self._stats = stats

    def set(self, wanted: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
        """Set those of the fields that hold no keys; return what is asked of all."""
        table = self._table
        if repeated := wanted.get(WHOLE_ROW):
            table.repeats = dict.fromkeys(table.fields, max(map(times_of, repeated)))
            table.forced_values[WHOLE_ROW] = list(repeated)
        found = [*self._of_single_rows()]
        wanted = {
            name: self._of_one_row(name, asked)
            for name, asked in wanted.items()
            if name not in found
        }
        sets = (set(unique.fields) for unique in self._uniques if unique.condition is None)
        own = is_own_of_django(table.model._meta.db_table)
        if own or any(one <= wanted.keys() for one in sets):
            wanted = table.look_up(wanted)
        self._force(wanted)
        self._let_rows_agree(wanted)
        return wanted

    def _let_rows_agree(self, wanted: Mapping[str, Sequence[Any]]) -> None:
        """Where rows are to agree in all columns of a unique set, let it have a NULL, so that they
        can.
        """
        table = self._table
        for unique in self._uniques:
            if unique.condition is not None or not unique.nulls_distinct:
                continue
            if len(unique.fields) > 1 and set(unique.fields) <= table.repeats.keys():
                empty = (name for name in unique.fields if table.fields[name].null)
                name = next((one for one in empty if one not in wanted), None)
                if name and name not in table.columns:
                    kind = table.kind(name)
                    column = ConstantColumn(table.fields[name], kind, values=[None])
                    table.columns[name] = column

    def _of_single_rows(self) -> Iterator[str]:
        """The fields by which the code looks up a single row; the others have other values."""
        table = self._table
        for row in looked_up(table, table.lessons):
            for field, value in row.items():
                yield field.name
                if values := others(field, value):
                    kind = table.kind(field.name)
                    table.columns[field.name] = ConstantColumn(field, kind, values=values)

    def _force(self, wanted: Mapping[str, Sequence[Any]]) -> None:
        """Set the columns that have to hold certain values; remove those the database fills."""
        table = self._table
        single = {u.fields for u in self._uniques if len(u.fields) == 1 and u.condition is None}
        for name, asked in wanted.items():
            field = table.fields.get(name)
            if field is None or (not asked and str(field.column) in table.forced_values):
                continue
            if asked and not field.null and all(value is None for value in asked):
                table.spares = True  # it is NULL in an outer join only
                continue
            if parts := self._parts(name, asked):
                table.parts[name] = table.forced_values[str(field.column)] = parts
                continue
            if column := self._portioned(field, asked):
                table.columns[name] = column
                table.forced_values[str(field.column)] = list(asked)
                continue
            values = storable_values(field, asked, (name,) in single)
            if values is None:
                continue
            expected = not values or self._is_default(field, asked)
            table.forced_values[str(field.column)] = [] if expected else list(asked)
            # Django has database defaults from 5.0 on.
            default = getattr(field, "db_default", models.NOT_PROVIDED)
            made = values or field.null or field.has_default()
            if default is not models.NOT_PROVIDED and not made:
                del table.fields[name]
            elif constant := forced_column(field, table.kind(name), values):
                table.columns[name] = constant

    def _portioned(self, field: Field, asked: Sequence[Any]) -> PortionedColumn | None:
        """The column where a share of the rows has each value; None where that is not asked, or
        where other rules say which values it has.
        """
        table, stats = self._table, self._stats.get(str(field.column))
        shares = table.shares.get(field.name)
        unique = any(field.name in one.fields for one in self._uniques)
        if not shares or unique or table.prototypes or field.is_relation:
            return None
        each = portions(field, asked, shares)
        if each is None:
            return None
        kind = table.kind(field.name)
        nulls = stats.nulls if stats and field.null else None
        rest = DrawnColumn(field, kind, stats=stats, nulls=nulls)
        return PortionedColumn(field, kind, nulls=nulls, portions=each, rest=rest)

    def _of_one_row(self, name: str, asked: Sequence[Any]) -> list[Any]:
        """What is asked of a field of single rows; what is of several is kept with the table."""
        table, field = self._table, self._table.fields.get(name)
        found = [one for one in asked if is_of_rows(one)]
        times = max(map(times_of, found), default=0)
        if found and field is not None:
            table.spares |= UNREFERRED in found
            if times and (name,) in {unique.fields for unique in self._uniques}:
                table.crowd = max(table.crowd, times)
            elif times:
                # Code that finds the same value twice may expect the same row twice.
                alike = (name,) if field.is_relation else table.fields
                table.repeats |= dict.fromkeys(alike, times)
            table.forced_values[str(field.column)] = found
        return [one for one in asked if one not in found]

    def _parts(self, name: str, asked: Sequence[Any]) -> list[Any]:
        """Those of the values that are parts of documents, for a column of documents."""
        holds = isinstance(self._table.kind(name), Json | JsonText)
        return [one for one in asked if holds and isinstance(one, dict | list)]

    def _is_default(self, field: Field, asked: Sequence[Any]) -> bool:
        """Whether rows have this value unless something was set, as far as the profile tells."""
        default = field.default
        if field.null or callable(default) or any(one != default for one in asked):
            return False
        stats = self._stats.get(str(field.column))
        if not isinstance(default, str) or stats is None or stats.width is None:
            return True
        return abs(stats.width - len(default)) <= _SAME_WIDTH * len(default)
