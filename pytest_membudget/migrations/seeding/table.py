"""A table to be seeded: what each of its columns holds in row number i."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from math import prod
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.migrations.seeding.dialect import NUMBER, Dialect
from pytest_membudget.migrations.seeding.domains import Domain
from pytest_membudget.migrations.seeding.failure import refusal, too_few

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_membudget.migrations.seeding.constraints import Rule
    from pytest_membudget.migrations.seeding.scratch import Scratch

    Field = models.Field[Any, Any]

TEMPLATE = "membudget_template"
SOME = 100
"""Rows of a parent that nobody asked for."""

_REUSED = 1000


@dataclass(eq=False)
class Column:
    """A column whose value in row i is that of template row i modulo their number."""

    field: Field
    name: str
    constant: list[Any] = attribute(default_factory=list)
    """Holds the one value that a column is fixed to."""

    alone = False
    """Is the value of row i different from that of every other row?"""

    def sql(self, i: str) -> str:
        return f"t.{self.name}"


@dataclass(eq=False)
class Picked(Column):
    """A column whose value in row i is number ``index(i)`` of a domain."""

    domain: Domain = attribute(kw_only=True)
    index: Callable[[str], str] = attribute(kw_only=True)
    alone: bool = attribute(default=False, kw_only=True)
    masked: bool = False
    """Do the template rows say where it is NULL?"""

    def value(self, i: str) -> str:
        return self.domain.at(self.index(i))

    def sql(self, i: str) -> str:
        value = self.value(i)
        return f"CASE WHEN t.{self.name} IS NOT NULL THEN {value} END" if self.masked else value


@dataclass(eq=False)
class Upward(Picked):
    """A reference to an earlier row of the same table, ten to each, the first one at the top."""

    def value(self, i: str) -> str:
        top = "NULL" if self.field.null else self.domain.at("1")
        return f"CASE WHEN {i} = 1 THEN {top} ELSE {self.domain.at(f'(({i} + 8) / 10)')} END"


@dataclass(eq=False)
class Partial(Picked):
    """A unique reference that may be empty, and is where the parents have run out."""

    def value(self, i: str) -> str:
        return f"CASE WHEN {i} <= {self.domain.size} THEN {super().value(i)} END"


@dataclass(eq=False)
class Table:
    model: type[models.Model]
    dialect: Dialect
    existing: int
    """Rows that were there before the first of ours."""

    have: int = 0
    want: int = 0
    asked: bool = False
    columns: dict[str, Column] = attribute(default_factory=dict)
    groups: list[Group] = attribute(default_factory=list)
    rules: list[Rule] = attribute(default_factory=list)

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def name(self) -> str:
        return self.dialect.quote(self.model._meta.db_table)

    @property
    def reused(self) -> bool:
        """Are there rows, but no room for ours? Then children point at those."""
        return not self.asked and self.capacity()[0] < 1 <= self.existing

    def capacity(self) -> tuple[int, str | None]:
        """How many rows the unique fields leave room for, and the fields which say so."""
        limits: list[tuple[int, str | None]] = [
            (column.domain.size, column.field.name)
            for column in self.columns.values()
            if isinstance(column, Picked) and column.alone and not isinstance(column.domain, Rows)
        ]
        limits += [(group.room, group.label) for group in self.groups if group.bounded]
        return min(limits, key=lambda limit: limit[0], default=(1 << 62, None))

    @property
    def least(self) -> int:
        """The rows of a table that others refer to."""
        return 1 if self.asked else min(SOME, max(1, self.capacity()[0]))

    def raise_to(self, count: int) -> None:
        self.want = max(self.want, count)

    def demand(self) -> None:
        """Ask the parents for as many rows as these need."""
        for column in self.columns.values():
            if isinstance(column, Picked) and isinstance(column.domain, Rows):
                parent = column.domain.table
                if not parent.reused:
                    parent.raise_to(parent.least)
                if column.alone and not (isinstance(column, Partial) and parent.asked):
                    parent.raise_to(self.want)
        for group in self.groups:
            group.demand()

    def check(self) -> None:
        possible, field = self.capacity()
        if self.want > possible:
            raise too_few(self.label, field, max(possible, 0), self.want)

    def domains(self) -> Iterator[Domain]:
        for column in self.columns.values():
            if isinstance(column, Picked):
                yield column.domain

    def source(self, number: str) -> str:
        """The columns of row ``number`` as a list for SELECT, named as in the table."""
        return ", ".join(
            f"{self.dialect.typed(column.sql(number), column.field)} AS {column.name}"
            if isinstance(column, Picked)
            else column.sql(number)
            for column in self.columns.values()
        )

    def drawn(self) -> list[Column]:
        return [
            column
            for column in self.columns.values()
            if not isinstance(column, Picked) or column.masked
        ]

    def growth(self, size: int) -> str:
        """The statement that adds the missing rows, with ``size`` template rows at hand."""
        names = ", ".join(column.name for column in self.columns.values())
        source = self.dialect.series(self.have + 1, self.want)
        if self.drawn():
            source += f" JOIN {TEMPLATE} AS t ON t.{NUMBER} = (series.i - 1) % {size} + 1"
        return f"INSERT INTO {self.name} ({names}) SELECT {self.source('series.i')} FROM {source}"


@dataclass(eq=False)
class Rows(Domain):
    """The rows of a parent, as a field of it identifies them."""

    table: Table
    target: Field

    @property
    def size(self) -> int:  # type: ignore[override]
        return min(_REUSED, self.table.existing) if self.table.reused else self.table.want

    @property
    def _reused(self) -> str:
        return f"membudget_{self.table.model._meta.model_name}_{self.target.name}"[:60]

    def at(self, number: str) -> str:
        if self.table.reused:
            quoted = self.table.dialect.quote(self.target.column)
            return f"(SELECT k.{quoted} FROM {self._reused} AS k WHERE k.{NUMBER} = {number})"
        column = self.table.columns.get(self.target.name)
        if not isinstance(column, Picked) or not column.alone:
            raise refusal(
                self.table.label, self.target.name, "its values cannot be foreseen for its children"
            )
        return column.domain.at(column.index(number))

    def prepare(self, scratch: Scratch, count: int) -> None:
        if self.table.reused and not scratch.has(self._reused):
            column = self.table.dialect.quote(self.target.column)
            scratch.create(self._reused, [self.target])
            self.table.dialect.execute(
                f"INSERT INTO {self._reused} ({column}) "
                f"SELECT {column} FROM {self.table.name} ORDER BY {column} LIMIT {_REUSED}"
            )


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
