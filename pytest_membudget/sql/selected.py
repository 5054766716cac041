"""The table of which a statement hands over rows, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from pytest_membudget.sql.statement import Table

Tables = Callable[[exp.Expr], list[Table]]


class Selected(NamedTuple):
    """Rows of ``table`` that meet ``where``; ``joined`` are the columns by which it finds rows of
    others: each row is handed over once where these find one.
    """

    table: Table
    where: exp.Where | None
    joined: tuple[tuple[Table, str], ...]


def selected(tree: exp.Expr, tables: Tables) -> Selected | None:
    """None where it hands over anything else; ``tables`` tells those of a source."""
    if not isinstance(tree, exp.Select) or tree.args.get("laterals"):
        return None
    source = tree.args.get("from_")
    table = _of_itself(source and source.this, tables)
    everything = [one for source in tree.find_all(exp.Table) for one in tables(source)]
    if table is None or everything.count(table) > 1:
        return None
    joined = []
    for join in tree.args.get("joins") or []:
        other = _of_itself(join.this, tables)
        on = join.args.get("on")
        column = None if on is None else _column_of(join.this.alias_or_name, on.unnest())
        if other is None or column is None:
            return None
        joined.append((other, column))
    return Selected(table, tree.args.get("where"), tuple(joined))


def _of_itself(source: exp.Expr | None, tables: Tables) -> Table | None:
    """The table that a source is; None for a query, and for several tables."""
    found = tables(source) if isinstance(source, exp.Table) else []
    name = source.name.lower() if isinstance(source, exp.Table) else ""
    return found[0] if len(found) == 1 and found[0].name.lower() == name else None


def _column_of(alias: str, on: exp.Expr) -> str | None:
    """The column of the table with this alias that an equality compares with another one's."""
    if not isinstance(on, exp.EQ):
        return None
    sides = [on.this.unnest(), on.expression.unnest()]
    if not all(isinstance(one, exp.Column) for one in sides):
        return None
    own = [one for one in sides if one.table == alias]
    return own[0].name if len(own) == 1 else None
