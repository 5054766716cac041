"""Columns whose values are in order in each row, as their names say: a start before its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_membudget.seeding.columns import Column, DrawnColumn
from pytest_membudget.seeding.dialects.base import Field

# A part of a name, and what stands in its place in the name of the other one.
_WORDS: Mapping[str, Sequence[str]] = {
    "start": ("end", "finish", "stop"),
    "starts": ("ends",),
    "started": ("ended", "finished", "completed", "stopped"),
    "begin": ("end",),
    "begins": ("ends",),
    "from": ("to", "until", "till"),
    "since": ("until", "till"),
    "opened": ("closed",),
    "created": ("updated", "modified", "changed", "deleted"),
    "min": ("max",),
    "minimum": ("maximum",),
    "lower": ("upper",),
    "low": ("high",),
    "lft": ("rght",),
}


def pairs(fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    """The names of two fields of one type, the one with the smaller values first."""
    for name, field in fields.items():
        words = name.split("_")
        for place, word in enumerate(words):
            for other in _WORDS.get(word, ()):
                second = "_".join([*words[:place], other, *words[place + 1 :]])
                if second in fields and type(fields[second]) is type(field):
                    yield name, second


def in_order(
    rows: list[tuple[Any, ...]], columns: Sequence[Column], names: Sequence[tuple[str, str]]
) -> list[tuple[Any, ...]]:
    """The rows with the values of such columns exchanged where these are not in order."""
    places = {
        column.field.name: place
        for place, column in enumerate(columns)
        if isinstance(column, DrawnColumn)
    }
    changed = [list(row) for row in rows]
    for one, other in names:
        if one in places and other in places:
            for row in changed:
                _exchange(row, places[one], places[other])
    return [tuple(row) for row in changed]


def _exchange(row: list[Any], first: int, second: int) -> None:
    if row[first] is not None and row[second] is not None and row[first] > row[second]:
        row[first], row[second] = row[second], row[first]
