"""What the conditions of statements ask of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_membudget.sql.documents import merged
from pytest_membudget.sql.row_sets import WHOLE_ROW, times_of
from pytest_membudget.sql.statement import Statement, Table
from pytest_membudget.sql.table_names import TableNames, is_own_of_django

_MOST_VALUES = 8


class Conditions:
    """The attributes ``filters`` and ``not_equal`` of a Run."""

    def __init__(self, names: TableNames) -> None:
        self.filters: dict[str, dict[str, list[Any]]] = {}
        self.not_equal: set[tuple[str, str]] = set()
        self._names = names
        self._assigned: set[tuple[str, str]] = set()

    def note_changes(self, statement: Statement, target: str) -> None:
        """The columns that are set in rows which are not chosen by their keys: they had other
        values when the migration began.
        """
        self._assigned.update((target, column) for column in statement.sets)
        keys = {f"{one.column}=" for one in statement.filters if one.place is not None}
        if not self._names.is_single(target, keys):
            self.not_equal.update((target, column) for column in statement.sets)

    def note_values(
        self,
        statement: Statement,
        keys: Mapping[Table, str],
        values: Mapping[int, Any] | None,
    ) -> None:
        documents: dict[tuple[str, str], Any] = {}
        for one in statement.filters:
            table = keys.get(one.table, "")
            if table not in self._names and not is_own_of_django(table):
                continue
            columns = self.filters.setdefault(table, {})
            if values is None or (one.place is not None and one.place not in values):
                self.not_equal.add((table, one.column))
                continue
            if not one.equal:
                self.not_equal.add((table, one.column))
            found = one.values(dict(values))
            name = one.column
            if (table, name) in self._assigned and any(map(times_of, found)):
                # What it has computed is the same in rows that it was computed from alike.
                name = WHOLE_ROW
            known = columns.setdefault(name, [])
            if one.part is not None and found:
                # A row meets all that a statement asks of its document.
                documents[table, one.column] = merged(documents.get((table, one.column)), found[0])
                continue
            new = [value for value in found if value not in known]
            if len(known) + len(new) > _MOST_VALUES:
                self.not_equal.add((table, one.column))
            known += new[: _MOST_VALUES - len(known)]
        for (table, column), document in documents.items():
            known = self.filters[table][column]
            if document not in known and len(known) < _MOST_VALUES:
                known.append(document)
