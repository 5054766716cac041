"""Decides by which columns the rows of a table differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from pytest_membudget.seeding.constraints import Unique
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.fields import FieldKind, kind_of
from pytest_membudget.seeding.sequences import Sequence
from pytest_membudget.seeding.unique_together import Group
from pytest_membudget.seeding.unique_values import UniqueValues

_WIDE = 10**8
"""Enough values for any table, so that a column can be unique on its own."""


@dataclass
class Uniqueness:
    """``sequences``: the columns that are unique on their own. ``groups``: those that are together.

    ``fields`` are those that get a column, ``keys`` what the references among them point at, and
    ``constants`` the values of those that hold nothing else.
    """

    values: UniqueValues
    fields: Mapping[str, Field]
    keys: Mapping[str, Sequence]
    constants: Mapping[str, list[Any]]
    sequences: dict[str, Sequence] = attribute(default_factory=dict)
    groups: list[Group] = attribute(default_factory=list)

    def group_of(self, name: str) -> Group | None:
        return next((group for group in self.groups if name in group.members), None)

    def settle(self, uniques: Iterable[Unique]) -> None:
        for unique in uniques:
            names = [name for name in unique.fields if name in self.fields]
            if not self._is_settled(unique, names):
                self._settle(unique, [n for n in names if n not in self.constants], uniques)

    def _is_settled(self, unique: Unique, names: list[str]) -> bool:
        empty = any(self.constants.get(name) == [None] for name in names)
        return (
            any(name in self.sequences for name in names)
            or (empty and unique.nulls_distinct)
            or any(group.members.keys() <= set(names) for group in self.groups)
        )

    def _settle(self, unique: Unique, members: list[str], uniques: Iterable[Unique]) -> None:
        free = [name for name in members if not self.group_of(name)]
        wide = [name for name in free if self._is_wide(name, unique)]
        parents = [name for name in free if name in self.keys]
        if len(members) == 1 and unique.condition is None:
            self._make_unique(members[0], unique)
        elif wide:
            self._make_unique(min(wide, key=lambda name: self._price(name, uniques)), unique)
        elif unique.condition is not None:
            self.values.avoid(unique)
        elif free and len(free) == len(members):
            sequences = {name: self._sequence(name, unique) for name in free}
            self.groups.append(Group(self.values.label, sequences))
        elif parents:
            self._make_unique(parents[0], unique)
        else:
            raise refusal(
                self.values.label,
                ", ".join(unique.fields),
                "it has no column whose values can differ from row to row",
            )

    def _make_unique(self, name: str, unique: Unique) -> None:
        self.sequences[name] = self._sequence(name, unique)

    def _sequence(self, name: str, unique: Unique) -> Sequence:
        return self.keys.get(name) or self.values.sequence(self.fields[name], unique.exact)

    def _is_wide(self, name: str, unique: Unique) -> bool:
        if name in self.keys or self._kind(name).choices:
            return False
        return self._sequence(name, unique).size >= _WIDE

    def _kind(self, name: str) -> FieldKind:
        return kind_of(self.fields[name], self.values.dialect)

    def _price(self, name: str, uniques: Iterable[Unique]) -> tuple[int, int, int]:
        """The less, the better does it become the one that is unique on its own."""
        rules = self.values.rules
        compared = sum(len(rule.fields) > 1 and name in rule.fields for rule in rules)
        shared = sum(name in unique.fields for unique in uniques)
        return compared, -shared, self._kind(name).unique_rank
