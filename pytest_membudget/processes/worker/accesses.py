"""The rows of each table that a run accessed, from the log of its statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.processes.worker.conditions import Conditions
from pytest_membudget.processes.worker.selections import Selections
from pytest_membudget.sample import ReceiverTables, Unmatched
from pytest_membudget.sql.parse import read, shown
from pytest_membudget.sql.statement import Statement
from pytest_membudget.sql.table_names import TableNames, is_own_of_django

_EVERYTHING = ("*",)
# The largest LIMIT with which a statement does not load more rows of a larger table.
_HANDFUL = 99
_WORD = re.compile(r"[^\W\d]\w*")
# Fewer times a statement is not sent for each of the rows.
_OFTEN = 20
# What Django calls a table on SQLite to which it copies all rows to alter it, see _remake_table().
_REMADE = "new__{}"
# PostgreSQL's and SQLite's own functions whose rows are made of their arguments.
# With quote() Django shows the parameters of SQLite's statements where DEBUG is on.
_BUILT_IN = (
    "pg_", "json", "regexp_", "string_to_", "unnest", "generate_", "xml", "pragma_", "quote",
    "sqlite_",
)  # fmt: skip


@dataclass
class Accesses:
    """The rows of each table, and the filters of statements; see Run for the attributes."""

    names: TableNames
    vendor: str
    read: Counter[str] = field(default_factory=Counter)
    fetched: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    inserted: Counter[str] = field(default_factory=Counter)
    accessed_tables: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    unattributed: dict[str, int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    chunks: set[int] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    guards: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    sought: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    opaque: bool = False
    mentioned: set[str] = field(default_factory=set)
    _declared: dict[str, Statement] = field(default_factory=dict)
    # By the end of a statement, its tables, and the values in its conditions.
    _groups: dict[tuple[str, tuple[str, ...], str], StatementCount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._conditions = Conditions(self.names)
        self._selections = Selections(self.names)

    @property
    def filters(self) -> dict[str, dict[str, list[Any]]]:
        return self._conditions.filters

    def add(self, counted: StatementCount) -> None:
        fetched, affected = counted.fetched, counted.affected
        self.sent[counted.text] += counted.times
        statement = read(counted.text, self.vendor)
        if statement.declares:
            self._declared[statement.declares] = statement
        declared = self._declared.get(statement.executes)
        returns = statement.returns
        statement = declared or statement
        keys = {table: self.names.key(table) for table in statement.named}
        self.named.update(keys.values())
        self.changed.update(keys.values() if statement.changes else ())
        self.functions |= statement.functions
        self.opaque |= not statement.understood
        if statement.harmless or not statement.understood:
            self.mentioned.update(_WORD.findall(counted.text))
        if statement.copies and statement.inserts:
            fetched, affected = 0, fetched
        sources = [keys[table] for table in statement.sources]
        main = self._main(sources)
        target = keys[statement.target] if statement.target else ""
        self._count(statement, main, target, fetched, affected)
        self._conditions.note_changes(statement, target)
        # What is inserted is in the process already, and what comes back of it is its key.
        self._add(self.fetched, main or ("" if statement.inserts else target), fetched)
        self.chunks |= _chunks(statement, counted)
        if fetched and not keys and _is_unknown(statement, several=fetched > counted.times):
            shape = shown(counted.text)
            self.unattributed[shape] = self.unattributed.get(shape, 0) + fetched
        loads = returns and not _is_bounded(statement, counted)
        chosen = self._note_choices(statement, loads=loads)
        if returns and not keys:  # it may hand over anything
            self.loads.update(one for one in statement.functions if not one.startswith(_BUILT_IN))
        if not main or is_own_of_django(main):
            return
        several = not self.names.is_single(main, chosen[main])
        row = None
        if several and loads:
            self.loads.add(main)
        elif returns and chosen[main] and not statement.single:
            row = self._row(statement, main, counted.values)
            if not fetched:
                self.sought += [(main, row)] if row and (main, row) not in self.sought else []
            if several and not fetched:
                self.guards.setdefault(main, set()).add(chosen[main])
        # A change of a row by its key is of one that was loaded, and asks nothing of others.
        if main in self.names and not (row and several) and (several or returns):
            self._conditions.note_values(statement, keys, counted.values)
        if main in self.names and several and loads:
            self._group(statement, sources, counted)
            self._conditions.not_equal |= self._selections.add(statement, main, counted)

    def of_run(self) -> dict[str, Any]:
        """The attributes of a Run."""
        return {
            "read": dict(self.read),
            "written": dict(self.written),
            "inserted": dict(self.inserted),
            "fetched": dict(self.fetched),
            "chunks": tuple(sorted(self.chunks)),
            "loads": frozenset(self.loads),
            "guards": _listed(self.guards),
            "sought": tuple(self.sought),
            "sent": self._sent_often(),
            "filters": self.filters,
            "not_equal": frozenset(self._conditions.not_equal),
            "selections": self._selections.found,
            "unmatched": self.unmatched(),
            "accessed_tables": _listed(self.accessed_tables),
            "unattributed": self.unattributed,
            "named": frozenset(self.named),
            "changed": frozenset(self.changed),
            "opaque": self.opaque,
            "mentioned": frozenset(self.mentioned),
            "functions": frozenset(self.functions),
        }

    def _sent_often(self) -> dict[str, int]:
        sent: Counter[str] = Counter()
        for text, times in self.sent.items():
            if times >= _OFTEN:
                sent[shown(text)] += times
        return dict(sent)

    def of_receiver(self, name: str) -> ReceiverTables:
        loads = frozenset(one for one in self.loads if not is_own_of_django(one))
        return ReceiverTables(name, loads, frozenset(self.changed))

    def unmatched(self) -> tuple[Unmatched, ...]:
        """The statements that found no row each time they were sent."""
        times: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for (ending, tables, _), group in self._groups.items():
            if group.looked and group.times and not group.fetched + group.affected:
                times[ending, tables] += group.times
        return tuple(Unmatched(ending, count, tables) for (ending, tables), count in times.items())

    def _main(self, sources: Sequence[str]) -> str:
        """The table that rows are counted for: the first that is seeded, or else the first."""
        seeded = [table for table in sources if table in self.names]
        own = (table for table in seeded if not is_own_of_django(table))
        return [*own, *seeded, *sources, ""][0]

    def _count(
        self, statement: Statement, main: str, target: str, fetched: int, affected: int
    ) -> None:
        if statement.inserts and target == _REMADE.format(main):
            return
        if target:
            written = target if target in self.names or main not in self.names else main
            self._add(self.written, written, fetched + affected)
            if statement.inserts:
                self._add(self.inserted, written, fetched + affected)
        if main and (not target or statement.inserts):
            self._add(self.read, main, fetched + affected)

    def _add(self, counts: Counter[str], table: str, rows: int) -> None:
        if rows and table and (table in self.names or not is_own_of_django(table)):
            counts[table] += rows

    def _note_choices(self, statement: Statement, *, loads: bool) -> dict[str, tuple[str, ...]]:
        """The columns that choose rows of each table, noted where it ``loads`` any number of them.

        A column whose value has to equal one ends with ``=``.
        """
        chosen: dict[str, set[str]] = {self.names.key(table): set() for table in statement.sources}
        for one in statement.filters:
            constant = one.exact and (one.place is not None or bool(one.known))
            chosen.setdefault(self.names.key(one.table), set()).add(
                one.column + ("=" if constant else "")
            )
        whole = _EVERYTHING if statement.copies and loads and not statement.filters else None
        found = {table: whole or tuple(sorted(columns)) for table, columns in chosen.items()}
        for table, columns in found.items():
            if not is_own_of_django(table):
                self.accessed_tables.setdefault(table, set()).add(columns if loads else ())
        return found

    def _row(
        self, statement: Statement, main: str, values: Mapping[int, Any] | None
    ) -> dict[str, Any] | None:
        """What the one row holds that is asked for; None where that is not known of each column."""
        row = {}
        for one in statement.filters:
            found = one.values(dict(values or {})) if one.exact else []
            if len(found) != 1 or self.names.key(one.table) != main:
                return None
            row[one.column] = found[0]
        return row

    def _group(self, statement: Statement, sources: Sequence[str], counted: StatementCount) -> None:
        asked = [one.values(dict(counted.values or {})) for one in statement.filters]
        key = (statement.ending[:300], tuple(sources), repr(asked))
        self._groups.setdefault(key, StatementCount("", None)).add(counted)


def _listed(ways: Mapping[str, set[tuple[str, ...]]]) -> dict[str, list[list[str]]]:
    return {table: sorted(map(list, columns)) for table, columns in ways.items()}


def _chunks(statement: Statement, counted: StatementCount) -> set[int]:
    """How many rows at most it hands over at a time, by its LIMIT or by what was asked for."""
    return {one for one in (counted.chunk, _limit(statement, counted)) if one and one > 1}


def _is_bounded(statement: Statement, counted: StatementCount) -> bool:
    """Whether it hands over a few rows at most, whatever the tables hold."""
    limit = _limit(statement, counted)
    return statement.single or (limit is not None and limit <= _HANDFUL)


def _limit(statement: Statement, counted: StatementCount) -> int | None:
    """The number of its LIMIT; None where it has none, or where that differs."""
    if statement.limit is None:
        return None
    limit = (counted.values or {}).get(statement.limit)
    return limit if isinstance(limit, int) else None


def _is_unknown(statement: Statement, *, several: bool) -> bool:
    """Whether the rows of a statement that names no table may come from one."""
    if statement.harmless:
        return False
    unknown = any(not one.startswith(_BUILT_IN) for one in statement.functions)
    return not statement.understood or bool(statement.executes) or (several and unknown)
