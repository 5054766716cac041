"""Distinct values and combinations, numbered from 1: in Python, and as SQL of the number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from math import prod
from typing import Any

from pytest_membudget.seeding.dialects.base import Dialect, Field
from pytest_membudget.seeding.staging_tables import StagingTables, lookup, new_name

UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Numbering:
    """``size`` distinct values, made in Python."""

    size: int
    at: Callable[[int], Any]

    @staticmethod
    def of(values: list[Any]) -> Numbering:
        return Numbering(len(values), lambda n: values[n - 1])


class Sequence(ABC):
    """``size`` distinct values, of which the database can tell the n-th.

    ``growable``: can there be as many as :meth:`require` says?
    ``requested``: does the caller say how many there are?
    ``fresh``: are there none of these values in rows that were there before?
    """

    size: int
    growable: bool = False
    requested: bool = False
    fresh: bool = True

    @property
    def limit(self) -> int:
        """How many there can be at most."""
        return self.size

    def require(self, count: int) -> None:
        raise NotImplementedError

    @abstractmethod
    def at(self, number: str) -> str:
        """SQL of the value with this number, itself an SQL expression."""

    def prepare(self, staging: StagingTables, count: int) -> None:  # noqa: B027
        """Make what :meth:`at` reads, for the numbers up to ``count``."""


@dataclass
class Formula(Sequence):
    """Computed by the database from the number alone."""

    size: int
    write: Callable[[str], str]

    def at(self, number: str) -> str:
        return self.write(number)


def shifted(write: Callable[[str], str], start: int, size: int) -> Formula:
    return Formula(size, lambda n: write(f"({n} + {start})"))


@dataclass
class StoredSequence(Sequence):
    """Made in Python and looked up by number, where no formula can say the value.

    ``unused`` are the values that no row had before, ``every`` all of them where those are few.
    ``partners`` are the sequences of the columns that this one is unique together with.
    """

    field: Field
    column: str
    unused: Numbering
    every: Numbering | None = None
    partners: list[Sequence] = attribute(default_factory=list)
    name: str = attribute(default_factory=new_name)

    @property
    def fresh(self) -> bool:  # type: ignore[override]
        return self.every is None

    @property
    def numbering(self) -> Numbering:
        other = any(partner.fresh for partner in self.partners)
        return self.every if self.every and other else self.unused

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.numbering.size

    def at(self, number: str) -> str:
        return lookup(self.name, self.column, number)

    def prepare(self, staging: StagingTables, count: int) -> None:
        rows = [(self.numbering.at(n),) for n in range(1, min(self.size, count) + 1)]
        staging.create(self.name, [self.field])
        staging.load(self.name, [self.field], rows)


@dataclass(eq=False)
class _Box:
    """A block of combinations: the numbers of each member, and how many rows took one."""

    first: list[int]
    sizes: list[int]
    used: int = 0


class Group:
    """Columns that are unique together: row i is a number whose digits are their values.

    The members' sequences grow from one call to the next, so the digits of a fixed number would
    change. New rows therefore take a new box: all combinations with the newest parents of one
    member. It has none in common with the boxes before it, and new parents get their children.

    The values of members that are ``alike`` change only once those of the others are used up.
    """

    def __init__(
        self,
        members: dict[str, Sequence],
        alike: Collection[str] = (),
        quotient: str = Dialect.quotient,
    ) -> None:
        self.members = members
        self._alike = {place for place, name in enumerate(members) if name in alike}
        self._quotient = quotient
        self.label = ", ".join(members)
        self._boxes: list[_Box] = []
        self._box = _Box([], [])
        self._have = self._missing = 0
        self._seen = [0] * len(members)

    def capacity(self) -> int:
        """How many combinations there can be, with more parents."""
        return min(UNLIMITED, prod(sequence.limit for sequence in self.members.values()))

    def sizes(self) -> list[int]:
        return [sequence.size for sequence in self.members.values()]

    def _fitting(self, missing: int) -> Iterator[_Box]:
        """The boxes that have room for the missing rows, the one that spreads them best first."""
        sizes = self.sizes()
        places = range(len(sizes))
        new = [
            _Box(
                [self._seen[p] if p == place else 0 for p in places],
                [sizes[p] - self._seen[p] if p == place else sizes[p] for p in places],
            )
            for place in sorted(places, key=lambda p: self._seen[p] - sizes[p])
        ]
        return (box for box in [*new, *self._boxes] if prod(box.sizes) - box.used >= missing)

    def demand(self, have: int, want: int) -> None:
        """Ask for as many parents as make the missing rows possible."""
        missing = want - have
        sizes, sequences = self.sizes(), list(self.members.values())
        growable = [place for place, sequence in enumerate(sequences) if sequence.growable]
        if not growable or next(self._fitting(missing), None):
            return
        place = min(growable, key=lambda p: (sequences[p].requested, -sizes[p]))
        others = max(1, prod(size for p, size in enumerate(sizes) if p != place))
        sequences[place].require(self._seen[place] + -(-missing // others))

    def place(self, have: int, want: int) -> bool:
        """Settle where the rows of this growth go, whose counts are final; is there room?"""
        self._have, self._missing = have, want - have
        box = next(self._fitting(self._missing), None)
        self._box = box or self._box
        return box is not None

    def grown(self) -> None:
        if self._box not in self._boxes:
            self._boxes.append(self._box)
            self._seen = self.sizes()
        self._box.used += self._missing

    def index(self, member: str) -> Callable[[str], str]:
        place = list(self.members).index(member)

        def index(i: str) -> str:
            box = self._box
            order = sorted(
                range(len(box.sizes)),
                key=lambda p: (p in self._alike, -box.first[p], -box.sizes[p], p),
            )
            before = order[: order.index(place)]
            number = f"({i} - 1 + {box.used - self._have})"
            if not before:
                return f"({number} % {box.sizes[place]} + 1 + {box.first[place]})"
            digit = self._quotient.format(number, prod(box.sizes[p] for p in before))
            if place not in self._alike:
                # Turning each digit by the fastest one keeps the numbers apart, and lets all values
                # occur from the start; by one more, so that two references to a table differ.
                digit = f"{digit} + {number} % {box.sizes[order[0]]} + {len(before)}"
            return f"(({digit}) % {box.sizes[place]} + 1 + {box.first[place]})"

        return index
