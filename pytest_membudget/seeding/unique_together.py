"""Columns that are unique together."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from pytest_membudget.seeding.columns import Picked, Rows
from pytest_membudget.seeding.errors import too_few

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_membudget.seeding.table import Table


@dataclass(eq=False)
class _Box:
    """A block of combinations: the numbers of each member, and how many rows took one."""

    first: list[int]
    sizes: list[int]
    used: int = 0


class Group:
    """Columns that are unique together: row i is a number whose digits are their values.

    The members' domains grow from one call to the next, so the digits of a fixed number would
    change. New rows therefore take a new box: all combinations with the newest parents of one
    member. It has none in common with the boxes before it, and new parents get their children.
    """

    def __init__(self, table: Table, members: list[Picked]) -> None:
        self.table = table
        self.members = members
        self._boxes: list[_Box] = []
        self._box = _Box([], [])
        self._seen = [0] * len(members)
        for place, member in enumerate(members):
            member.index = self._digit(place)

    @property
    def label(self) -> str:
        return ", ".join(member.field.name for member in self.members)

    @property
    def bounded(self) -> bool:
        return not any(self._parent(member) for member in self.members)

    @property
    def room(self) -> int:
        return prod(self._sizes())

    @property
    def _missing(self) -> int:
        return self.table.want - self.table.have

    def _sizes(self) -> list[int]:
        return [member.domain.size for member in self.members]

    def _parent(self, member: Picked) -> Table | None:
        domain = member.domain
        return domain.table if isinstance(domain, Rows) and not domain.table.reused else None

    def _fitting(self) -> Iterator[_Box]:
        """The boxes that have room for the missing rows, the one that spreads them best first."""
        sizes = self._sizes()
        places = range(len(sizes))
        new = [
            _Box(
                [self._seen[p] if p == place else 0 for p in places],
                [sizes[p] - self._seen[p] if p == place else sizes[p] for p in places],
            )
            for place in sorted(places, key=lambda p: self._seen[p] - sizes[p])
        ]
        return (box for box in [*new, *self._boxes] if prod(box.sizes) - box.used >= self._missing)

    def demand(self) -> None:
        """Ask for as many parents as make the missing rows possible."""
        if self.bounded or next(self._fitting(), None):
            return
        parents = {
            place: parent
            for place, member in enumerate(self.members)
            if (parent := self._parent(member)) not in (None, self.table)
        }
        if not parents:
            raise too_few(self.table.label, self.label, self.room, self.table.want)
        sizes = self._sizes()
        place, parent = min(parents.items(), key=lambda item: (item[1].asked, -sizes[item[0]]))
        others = max(1, prod(size for p, size in enumerate(sizes) if p != place))
        parent.raise_to(self._seen[place] + -(-self._missing // others))

    def place(self) -> None:
        """Settle where the rows of this growth go; the counts are final by now."""
        self._box = next(self._fitting())

    def grown(self) -> None:
        if self._box not in self._boxes:
            self._boxes.append(self._box)
            self._seen = self._sizes()
        self._box.used += self._missing

    def _digit(self, place: int) -> Callable[[str], str]:
        def index(i: str) -> str:
            box = self._box
            order = sorted(range(len(box.sizes)), key=lambda p: (-box.first[p], -box.sizes[p], p))
            before = order[: order.index(place)]
            number = f"({i} - 1 + {box.used - self.table.have})"
            if not before:
                return f"({number} % {box.sizes[place]} + 1 + {box.first[place]})"
            # Turning each digit by the fastest one keeps the numbers apart, and lets all values
            # occur from the start; by one more, so that two references to a table differ.
            turned = (
                f"{number} / {prod(box.sizes[p] for p in before)} "
                f"+ {number} % {box.sizes[order[0]]} + {len(before)}"
            )
            return f"(({turned}) % {box.sizes[place]} + 1 + {box.first[place]})"

        return index
