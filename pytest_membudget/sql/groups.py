"""Conditions on several rows at once: counts of groups, and rows that no other refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlglot import exp

from pytest_membudget.sql.conditions import comparison as compared
from pytest_membudget.sql.positions import is_negated
from pytest_membudget.sql.row_sets import UNORDERED, UNREFERRED, repeated
from pytest_membudget.sql.statement import Table

# So many rows of a partition have a number above one, and above two.
_NUMBERED = 3
Owners = Callable[[exp.Column], list[Table]]
Asked = tuple[exp.Column, dict[str, Any]]


def row_sets(tree: exp.Expr, owners: Owners) -> Iterator[Asked]:
    """The columns by which rows are counted or sought, with what a Filter says of them."""
    for having in tree.find_all(exp.Having):
        yield from _counted(having, owners)
    for exists in tree.find_all(exp.Exists):
        if is_negated(exists) and isinstance(exists.this, exp.Select):
            yield from _without(exists.this)
    for one in tree.find_all(exp.In):
        query = one.args.get("query")
        if query is not None and is_negated(one):
            yield from _absent(query.unnest().expressions)
    for comparison in tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE):
        sides = [comparison.this.unnest(), comparison.expression.unnest()]
        if all(isinstance(one, exp.Column) for one in sides):
            yield from ((one, {"known": (UNORDERED,)}) for one in sides)
    if tree.args.get("where") is not None:
        for window in tree.find_all(exp.Window):
            if window.find_ancestor(exp.Subquery):
                for column in window.args.get("partition_by") or []:
                    if isinstance(column, exp.Column):
                        yield column, {"known": (repeated(_NUMBERED),)}


def _counted(having: exp.Having, owners: Owners) -> Iterator[Asked]:
    select = having.parent
    group = select.args.get("group") if isinstance(select, exp.Select) else None
    if select is None or group is None:
        return
    # Rows that agree in all columns of an expression agree in its value.
    grouped = [column for one in group.expressions for column in one.find_all(exp.Column)]
    if not all(one.find(exp.Column) for one in group.expressions):  # some are numbered
        chosen = (one for one in select.expressions if not one.find(exp.AggFunc))
        found = (column for one in chosen for column in one.find_all(exp.Column))
        grouped += [one for one in found if one not in grouped]
    groups = {table for column in grouped for table in owners(column)}
    for count in having.find_all(exp.Count):
        known = None if is_negated(count) else compared(count)
        counted = count.find(exp.Column)
        if known is None:
            continue
        if counted is None or not groups or not groups.isdisjoint(owners(counted)):
            counted_by = grouped
        else:
            counted_by = [counted]
        for column in counted_by:
            yield column, {"place": known["place"], "sign": known.get("sign", "="), "count": True}


def _without(select: exp.Select) -> Iterator[Asked]:
    """The columns of a subquery's own tables that are compared with those around it."""
    own = {table.alias_or_name for table in select.find_all(exp.Table)}
    where = select.args.get("where")
    for equality in where.find_all(exp.EQ) if where is not None else ():
        sides = [equality.this.unnest(), equality.expression.unnest()]
        columns = [one for one in sides if isinstance(one, exp.Column)]
        inner = [one for one in columns if one.table in own]
        if len(columns) > len(inner) == 1:
            yield from _absent(inner)


def _absent(columns: Sequence[exp.Expr]) -> Iterator[Asked]:
    for one in columns[:1]:
        column = one.unalias()
        if isinstance(column, exp.Column):
            yield column, {"known": (UNREFERRED,)}
