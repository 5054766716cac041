"""The values that rows have which a run loads, from the log of its statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.sample.selection import Selection
from pytest_membudget.sql.parse import marks
from pytest_membudget.sql.statement import Statement
from pytest_membudget.sql.table_names import TableNames


class Selections:
    """``found`` are those of statements that load any number of rows of a table."""

    def __init__(self, names: TableNames) -> None:
        self._names = names
        self._by_text: dict[str, Selection] = {}

    @property
    def found(self) -> tuple[Selection, ...]:
        return tuple(self._by_text.values())

    def add(
        self, statement: Statement, table: str, counted: StatementCount
    ) -> set[tuple[str, str]]:
        """Add a statement, and return the columns, by table, that it chooses rows by in such a way
        that their values do not tell how many it finds.

        ``table`` is the one that the rows of the statement are counted for.
        """
        held, fetched = counted.values or {}, counted.fetched
        # One with a LIMIT, or with other values each time, goes through the rows in pages.
        repeats = statement.limit is None and len(held) == marks(counted.text)
        if repeats and counted.times:
            fetched = -(-fetched // counted.times)
        equal = self._equal(statement, table, held)
        chosen = frozenset(
            one.column for one in statement.filters if self._names.key(one.table) == table
        )
        key = f"{table} {statement.ending} {equal!r}"
        before = self._by_text.get(key, Selection(table, 0))
        self._by_text[key] = Selection(table, before.fetched + fetched, equal, chosen)
        places = {(self._names.key(one.table), one.column) for one in statement.filters}
        return places - {(table, column) for column in equal}

    def _equal(
        self, statement: Statement, table: str, values: Mapping[int, Any]
    ) -> dict[str, list[Any]]:
        own = statement.selects
        if own is None or self._names.key(own) != table:
            return {}
        if not all(
            self._names.is_single(self._names.key(joined), {f"{column}="})
            for joined, column in statement.joined
        ):
            return {}
        return {
            one.column: one.values(dict(values))
            for one in statement.filters
            if one.every and (one.place is None or one.place in values)
        }
