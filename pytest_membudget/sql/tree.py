"""Read a statement's tree: its tables, in order, and what it does with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlglot import exp

from pytest_membudget.sql.conditions import predicates
from pytest_membudget.sql.documents import Part
from pytest_membudget.sql.groups import row_sets
from pytest_membudget.sql.positions import place
from pytest_membudget.sql.selected import selected
from pytest_membudget.sql.statement import Filter, Statement, Table

# One value for all rows, which is as large as they are.
_COLLECTING = (
    exp.ArrayAgg,
    exp.GroupConcat,
    exp.JSONArrayAgg,
    exp.JSONObjectAgg,
    exp.JSONBObjectAgg,
)
_COLLECTING_NAMES = frozenset({"json_agg", "jsonb_agg", "xmlagg", "json_group_array"})
_WITH_ROWS = (exp.Query, exp.DML, exp.Merge, exp.Copy, exp.Create)
# Which parts of a node have the tables that its rows are taken from.
_SOURCES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (exp.Select, ("from_", "joins", "laterals")),
    (exp.SetOperation, ("this", "expression")),
    (exp.Insert, ("expression",)),
    ((exp.Update, exp.Delete, exp.Merge), ("this", "from_", "using")),
    ((exp.From, exp.Join, exp.Subquery, exp.Lateral, exp.Paren, exp.Copy), ("this", "joins")),
)
_FRAMES = (exp.Select, exp.Update, exp.Delete, exp.Insert, exp.Merge)


class Reader:
    def __init__(self, tree: exp.Expr) -> None:
        self.tree = tree
        self.copies = isinstance(tree, exp.Copy)
        self.copies_out = self.copies and not tree.args.get("kind")
        self.ctes = {cte.alias_or_name: cte for cte in tree.find_all(exp.CTE)}
        self.aliases: dict[tuple[int, str], list[Table]] = {}
        for source in tree.find_all(exp.Table, exp.Subquery, exp.Lateral):
            if name := source.alias_or_name:
                frame = id(source.find_ancestor(*_FRAMES))
                self.aliases.setdefault((frame, name), self._tables(source))

    def statement(self, ending: str) -> Statement:
        tree = self.tree
        everything = [t for table in tree.find_all(exp.Table) for t in self._tables(table)]
        target = self._target()
        inserts = isinstance(tree, exp.Insert) or (self.copies and not self.copies_out)
        sources = dict.fromkeys([*self._tables(tree), *self._everything(tree)])
        if target is not None and (inserts or isinstance(tree, exp.Create)):
            sources.pop(target, None)
        query = isinstance(tree, exp.Query | exp.Values)
        own = selected(tree, self._tables)
        returns = query or tree.args.get("returning") is not None or self.copies_out
        return Statement(
            sources=tuple(sources) if isinstance(tree, _WITH_ROWS) else (),
            target=target,
            inserts=inserts,
            changes=not (query or self.copies_out) or tree.find(exp.DML) is not None,
            sets=tuple(_set(tree)),
            copies=self.copies,
            named=frozenset(everything) | ({target} if target else set()),
            returns=returns,
            single=query and self._is_single(),
            limit=self._limit(),
            filters=tuple(self._filters()) if returns or isinstance(tree, exp.DML) else (),
            functions=frozenset(one.name.lower() for one in tree.find_all(exp.Anonymous)),
            ending=ending,
            selects=own.table if own else None,
            joined=own.joined if own else (),
        )

    def _everything(self, tree: exp.Expr) -> Iterator[Table]:
        """The tables whose rows are read; not those that a new table's foreign keys refer to."""
        read = tree.expression if isinstance(tree, exp.Create) else tree
        for table in read.find_all(exp.Table) if read is not None else ():
            yield from self._tables(table)

    def _target(self) -> Table | None:
        changes = isinstance(self.tree, _WITH_ROWS) and not isinstance(self.tree, exp.Query)
        if not changes or self.copies_out:
            return None
        table = self.tree.this
        table = table.find(exp.Table) if isinstance(table, exp.Expr) else None
        return None if table is None else _table(table)

    def _tables(self, node: Any, seen: tuple[str, ...] = ()) -> list[Table]:
        """The tables that a part of the statement takes its rows from, in order."""
        if isinstance(node, exp.Table):
            cte = self._cte(node)
            if cte is not None and cte.alias not in seen:
                return self._tables(cte.this, (*seen, cte.alias))
            table = _table(node)
            return [] if cte is not None or table is None else [table]
        names = next((names for kinds, names in _SOURCES if isinstance(node, kinds)), ())
        found = [node.args.get(name) or [] for name in names]
        parts = [one for part in found for one in (part if isinstance(part, list) else [part])]
        return [table for part in parts for table in self._tables(part, seen)]

    def _cte(self, table: exp.Table) -> exp.CTE | None:
        """The one that is meant; within itself a name means a table, where it isn't recursive."""
        cte = None if table.db else self.ctes.get(table.name)
        if cte is None:
            return None
        own = table.find_ancestor(exp.CTE)
        while own is not None:
            if own is cte and not (cte.parent and cte.parent.args.get("recursive")):
                return None
            own = own.find_ancestor(exp.CTE)
        return cte

    def _is_single(self) -> bool:
        """Whether its result is one row, of a size that does not depend on the rows."""
        select = self.tree
        if not isinstance(select, exp.Select):
            return False
        if select.args.get("group") or select.args.get("from_") is None:
            return False
        aggregates = [
            one
            for projection in select.expressions
            for one in projection.find_all(exp.AggFunc, exp.Anonymous)
            if one.find_ancestor(exp.Window, exp.Select) in (None, select)
        ]
        collects = (
            isinstance(one, _COLLECTING) or one.name.lower() in _COLLECTING_NAMES
            for one in aggregates
        )
        return any(isinstance(one, exp.AggFunc) for one in aggregates) and not any(collects)

    def _limit(self) -> int | None:
        limit = self.tree.args.get("limit")
        value = None if limit is None else limit.expression or limit.args.get("count")
        return None if value is None else place(value)

    def _filters(self) -> Iterator[Filter]:
        found: dict[tuple[Table, str, Part | None], Filter] = {}
        own = selected(self.tree, self._tables)
        for condition in self.tree.find_all(exp.Where, exp.Having):
            if condition.find_ancestor(exp.OnConflict):
                continue
            for column, known in predicates(condition):
                for table in self._owners(column):
                    name, part = _folded(column.this), known.get("part")
                    one = Filter(table, name, **known)
                    if own is None or table != own.table or condition is not own.where:
                        one = replace(one, every=False)
                    found.setdefault((table, name, part), one)
        documents = {(table, name) for table, name, part in found if part is not None}
        for (table, name, part), one in found.items():
            # What is asked of its parts is asked of a document.
            if part is not None or (table, name) not in documents or one.place is not None:
                yield one
        for column, known in row_sets(self.tree, self._owners):
            for table in self._owners(column):
                yield Filter(table, _folded(column.this), **known)

    def _owners(self, column: exp.Column) -> list[Table]:
        """The tables that a column may belong to: that of its alias, or all where it has none."""
        frame: Any = column.find_ancestor(*_FRAMES)
        if not column.table:
            own = [t for (of, _), tables in self.aliases.items() if of == id(frame) for t in tables]
            return list(dict.fromkeys(own))
        while frame is not None:
            if (id(frame), column.table) in self.aliases:
                return self.aliases[id(frame), column.table]
            frame = frame.find_ancestor(*_FRAMES)
        return []


def _set(tree: exp.Expr) -> Iterator[str]:
    """The columns that an UPDATE sets."""
    for one in tree.expressions if isinstance(tree, exp.Update) else ():
        for column in one.this.find_all(exp.Column) if isinstance(one, exp.EQ) else ():
            yield _folded(column.this)


def _table(table: exp.Table) -> Table | None:
    """Its name; None for a function that stands in its place."""
    if not isinstance(table.this, exp.Identifier):
        return None
    schema = table.args.get("db")
    return Table(_folded(schema) if schema else "", _folded(table.this))


def _folded(name: exp.Expr) -> str:
    return name.name if name.args.get("quoted") else name.name.lower()
