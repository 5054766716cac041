"""Rows of materialized paths, as django-treebeard keeps them: a real tree, nine children to each.

Row 1 is the root, and the parent of row i is row (i + 7) / 9.  The digits of a path are the places
of a row and its ancestors among their siblings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from django.db import models

from pytest_membudget.seeding.columns import Column, ConstantColumn, SequenceColumn, UniqueColumn
from pytest_membudget.seeding.dialects.base import Dialect
from pytest_membudget.seeding.sequences import Formula
from pytest_membudget.seeding.table import Table

_FIELDS = ("path", "depth", "numchild")
_CHILDREN = 9
_STEP = 4
# Levels below the root, with room for as many rows.
_LEVELS = 8
_ROWS = _CHILDREN**_LEVELS


def tree_columns(table: Table) -> dict[str, Column]:
    """The columns that say where a row is in the tree; none for a model that is none."""
    fields = table.fields
    path = fields.get(_FIELDS[0])
    if not set(_FIELDS) <= fields.keys() or not isinstance(path, models.CharField):
        return {}
    if (path.max_length or 0) < _STEP * (_LEVELS + 2):
        return {}
    above = _path_above(table)
    kinds = {name: table.kind(name) for name in _FIELDS}

    def write_path(i: str) -> str:
        steps = [
            f"CASE WHEN {row} > 1 THEN "
            f"{table.dialect.digits.format(f'({row} - 2) % {_CHILDREN} + 1', _STEP)} ELSE '' END"
            for row in reversed([*_line(i, table.dialect)])
        ]
        root = f"{above}{'000Z' if above else '0001'}"
        return table.dialect.joined([table.dialect.literal(root), *steps])

    def write_depth(i: str) -> str:
        below = [f"CASE WHEN {row} > 1 THEN 1 ELSE 0 END" for row in _line(i, table.dialect)]
        return f"({' + '.join([str(len(above) // _STEP + 1), *below])})"

    columns: dict[str, Column] = {
        "path": UniqueColumn(path, kinds["path"], sequence=Formula(_ROWS, write_path))
    }
    depth = Formula(_ROWS, write_depth)
    columns["depth"] = SequenceColumn(fields["depth"], kinds["depth"], sequence=depth)
    # Which rows are leaves changes as the table grows, so all say that they have children.
    columns["numchild"] = ConstantColumn(fields["numchild"], kinds["numchild"], values=[_CHILDREN])
    return columns


def _line(i: str, dialect: Dialect) -> Iterator[str]:
    """The number of a row and those of its ancestors, 1 for the root and 0 above it."""
    row = f"({i})"
    for _ in range(_LEVELS):
        yield row
        row = dialect.quotient.format(f"({row} + {_CHILDREN - 2})", _CHILDREN)


def _path_above(table: Table) -> str:
    """The path of a root that was there before, below which the rows are."""
    if table.existing:
        with suppress(Exception):  # a manager may raise anything
            found = table.rows.order_by("depth", "path").values_list("path", flat=True).first()
            return str(found or "")
    return ""
