"""Columns that are unique together."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from pytest_membudget.migrations.seeding.columns import Picked, Rows
from pytest_membudget.migrations.seeding.failure import too_few

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_membudget.migrations.seeding.table import Table


@dataclass
class _Box:
    """A block of combinations: the numbers of each member, and the row before its first row."""

    start: int
    first: list[int]
    sizes: list[int]


class Group:
    """Columns that are unique together: row i is a number whose digits are their values.

    The members' domains grow from one call to the next, so the digits of a fixed number would
    change. New rows therefore take a new box: all combinations with the newest parents of one
    member. They share none with the boxes before it, and new parents get their children.
    """

    def __init__(self, table: Table, members: list[Picked]) -> None:
        self.table = table
        self.members = members
        self._box: _Box | None = None
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

    def _sizes(self) -> list[int]:
        return [member.domain.size for member in self.members]

    def _parent(self, member: Picked) -> Table | None:
        domain = member.domain
        return domain.table if isinstance(domain, Rows) and not domain.table.reused else None

    def _boxes(self) -> Iterator[_Box]:
        """The ways to place the missing rows, the one that spreads them best first."""
        missing, sizes = self.table.want - self.table.have, self._sizes()
        if self.bounded:
            grown = [0] if self._box is None else []
        else:
            grown = [p for p, member in enumerate(self.members) if self._parent(member)]
        for place in sorted(grown, key=lambda p: self._seen[p] - sizes[p]):
            first = [self._seen[p] if p == place else 0 for p in range(len(sizes))]
            box = [size - start for size, start in zip(sizes, first, strict=True)]
            if prod(box) >= missing:
                yield _Box(self.table.have, first, box)
        if self._box and prod(self._box.sizes) >= self.table.want - self._box.start:
            yield self._box

    def demand(self) -> None:
        missing, sizes = self.table.want - self.table.have, self._sizes()
        if missing <= 0 or self.bounded or next(self._boxes(), None):
            return
        growable = [
            place
            for place, member in enumerate(self.members)
            if self._parent(member) not in (None, self.table)
        ]
        if not growable:
            raise too_few(self.table.label, self.label, self.room, self.table.want)
        place = min(growable, key=lambda p: (self._asked(p), -sizes[p]))
        others = max(1, prod(size for p, size in enumerate(sizes) if p != place))
        parent = self._parent(self.members[place])
        assert parent is not None
        parent.raise_to(self._seen[place] + -(-missing // others))

    def _asked(self, place: int) -> bool:
        parent = self._parent(self.members[place])
        return parent is not None and parent.asked

    def place(self) -> None:
        """Settle where the rows of this growth go; the counts are final by now."""
        if self.table.want > self.table.have:
            self._box = next(self._boxes())

    def grown(self) -> None:
        if self._box and self._box.start == self.table.have:
            self._seen = self._sizes()

    def _digit(self, place: int) -> Callable[[str], str]:
        def index(i: str) -> str:
            box = self._box
            assert box is not None
            order = sorted(range(len(box.sizes)), key=lambda p: (-box.first[p], -box.sizes[p], p))
            before = order[: order.index(place)]
            number = f"({i} - 1 - {box.start})"
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
