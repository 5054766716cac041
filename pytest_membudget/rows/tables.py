"""The tables of a file: their rows as they were read, and masked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_membudget.rows.columns import Clear, ColumnMask, clear_of
from pytest_membudget.rows.document import ColumnRows, TableRows
from pytest_membudget.rows.masking import Masks
from pytest_membudget.rows.values import kind_of, written

Place = tuple[str, str]
"""A table and a column of it."""


@dataclass(frozen=True)
class RawTable:
    """Rows as they are in the database, with plain values.

    ``key`` and ``references`` are as those of TableRows.  ``choices`` are the values that the
    project's code names, by column.  So are ``labels``, of columns that hold nothing but what the
    code is called: they stay in any case.  ``generic`` is the table that each row refers to by a
    column that may refer to rows of any.
    """

    columns: list[str]
    rows: list[list[Any]]
    key: str | None = None
    references: Mapping[str, Place] = field(default_factory=dict)
    choices: Mapping[str, Collection[Any]] = field(default_factory=dict)
    labels: Mapping[str, Collection[Any]] = field(default_factory=dict)
    generic: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def values(self, column: str) -> list[Any]:
        place = self.columns.index(column)
        return [row[place] for row in self.rows]


def masked(tables: Mapping[str, RawTable]) -> dict[str, TableRows]:
    """All of the tables, masked alike.

    Whole numbers that are keys are counted anew, from 1 and in their order, and so are references
    to them: the number of a row in production tells how many came before it.
    """
    masks, numbers = Masks(), _Numbers(tables)
    return {name: _masked(name, table, masks, numbers) for name, table in tables.items()}


def _masked(name: str, table: RawTable, masks: Masks, numbers: _Numbers) -> TableRows:
    columns, found = {}, []
    keys = table.values(table.key) if table.key else []
    places = sorted(range(len(table.rows)), key=lambda place: keys[place] if keys else place)
    for column in table.columns:
        values = table.values(column)
        counted = numbers.of((name, column))
        if counted is None:
            identifies = (name, column) in numbers.identifying
            choices = table.choices.get(column, ())
            ordered = [values[place] for place in places]
            clear = Clear() if identifies else clear_of(column, ordered, choices)
            if labels := table.labels.get(column):
                clear = Clear(values={"": frozenset(values) & frozenset(labels)})
            mask = ColumnMask(column, masks, clear)
            tables = table.generic.get(column) or [None] * len(values)
            values = [
                numbers.of_row(name, value) or mask.mask(value)
                for name, value in zip(tables, values, strict=True)
            ]
        else:
            clear = Clear()
            # Rows that are not in the file have numbers as well, so that equal ones stay equal.
            values = [
                None if value is None else counted.get(value) or masks.number(value)
                for value in values
            ]
        columns[column] = ColumnRows(
            kind=str(kind_of(values)),
            keys=sorted(clear.keys),
            values={where: sorted(its, key=str) for where, its in clear.values.items()},
        )
        found.append([written(value) for value in values])
    rows = [list(row) for row in zip(*found, strict=True)]
    return TableRows(columns, [rows[place] for place in places], table.key, dict(table.references))


class _Numbers:
    """The new numbers of keys.

    ``identifying`` are the columns that are keys or that others refer to, and those that refer:
    whatever is in them is masked.
    """

    def __init__(self, tables: Mapping[str, RawTable]) -> None:
        self._references = {
            (name, column): place
            for name, table in tables.items()
            for column, place in table.references.items()
        }
        keys = [(name, table.key) for name, table in tables.items() if table.key]
        places = [*self._references, *self._references.values(), *keys]
        self.identifying: Collection[Place] = set(places)
        self._keys = dict(keys)
        self._numbers: dict[Place, Mapping[int, int]] = {}
        for name, key in keys:
            values = tables[name].values(key)
            if (name, key) not in self._references and all(type(one) is int for one in values):
                self._numbers[name, key] = {v: n for n, v in enumerate(sorted(values), 1)}

    def of(self, place: Place) -> Mapping[int, int] | None:
        """By old number; None where it is no such key and refers to none."""
        seen = set()
        while place in self._references and place not in seen:
            seen.add(place)
            place = self._references[place]
        return self._numbers.get(place)

    def of_row(self, table: str | None, key: Any) -> Any:
        """That of a row of a table, a text where its key is one; None where it has none."""
        if table not in self._keys or not str(key).isdecimal():
            return None
        number = (self.of((table, self._keys[table])) or {}).get(int(key))
        return str(number) if number and isinstance(key, str) else number
