"""Columns that refer to the rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute

from pytest_membudget.seeding.columns import ConstantColumn, SequenceColumn, UniqueColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import refusal
from pytest_membudget.seeding.sequences import UNLIMITED, Sequence
from pytest_membudget.seeding.staging_tables import StagingTables, lookup, new_name
from pytest_membudget.seeding.table import Table

_REUSED = 1000


@dataclass(eq=False)
class ParentKeys(Sequence):
    """The rows of a parent, as a field of it identifies them; ``own`` if it is the table itself.

    Only one of so many as ``spared`` is referred to.
    """

    parent: Table
    target: Field
    own: bool = False
    spared: int = 1
    _existing: str = attribute(default_factory=new_name)

    @property
    def size(self) -> int:  # type: ignore[override]
        parent = self.parent
        rows = min(_REUSED, parent.existing) if parent.reused else parent.want
        return -(-rows // self.spared)

    @property
    def limit(self) -> int:
        # Whether a table is reused depends on the limits of its own references.
        return UNLIMITED if self.fresh else self.size

    @property
    def growable(self) -> bool:  # type: ignore[override]
        return not self.own and self.fresh

    @property
    def requested(self) -> bool:  # type: ignore[override]
        return self.parent.requested

    @property
    def fresh(self) -> bool:  # type: ignore[override]
        return self.own or not self.parent.reused

    def require(self, count: int) -> None:
        self.parent.require(count * self.spared)

    def place(self, have: int, want: int) -> None:
        """Settle which of them the rows from ``have`` to ``want`` refer to."""

    def at(self, number: str) -> str:
        parent = self.parent
        if parent.reused:
            return lookup(self._existing, parent.dialect.column(self.target), number)
        column = parent.columns.get(self.target.name)
        key = column.key(number) if column else None
        if key is None:
            reason = (
                "its values are not known before they are stored, and other tables refer to them"
            )
            raise refusal(parent.label, self.target.name, reason)
        return key

    def prepare(self, staging: StagingTables, count: int) -> None:
        if self.parent.reused:
            column = self.parent.dialect.column(self.target)
            staging.create(self._existing, [self.target])
            self.parent.dialect.execute(
                f"INSERT INTO {self._existing} ({column}) "
                f"SELECT {column} FROM {self.parent.name} ORDER BY {column} LIMIT {_REUSED}"
            )

    def spread(self, place: int, share: float) -> Callable[[str], str]:
        """An index that goes round a share of the parents.

        Two references of a row to the same table, at another ``place`` each, differ.
        """

        def index(i: str) -> str:
            return f"(({i} - 1 + {place}) % {max(1, round(self.size * share))} + 1)"

        return index


@dataclass(eq=False)
class InheritedKeys(ParentKeys):
    """The rows of a parent model that belong to rows of one of its child models.

    Each belongs to one row of one child model only, so new rows take those that are left.
    """

    _placed: int = 0
    # From which row on, and by how much the parent's number is higher.
    _spans: list[tuple[int, int]] = attribute(default_factory=list)

    def require(self, count: int) -> None:
        heirs = self.parent.inherited_by
        heirs[self] = count * self.spared
        self.parent.require(sum(heirs.values()))

    def place(self, have: int, want: int) -> None:
        taken = sum(one._placed for one in self.parent.inherited_by)
        self._spans.append((have, taken - have))
        self._placed = want

    def at(self, number: str) -> str:
        if self.fresh and any(moved for _, moved in self._spans):
            cases = "".join(
                f" WHEN {number} > {have} THEN {number} + {moved}"
                for have, moved in reversed(self._spans)
            )
            number = f"(CASE{cases} END)"
        return super().at(number)


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference(SequenceColumn):
    sequence: ParentKeys

    def demand(self, want: int) -> None:
        self.sequence.parent.ensure_rows()


class SelfReference(Reference):
    """A reference to an earlier row of the same table, ten to each, the first one at the top."""

    def value(self, i: str) -> str:
        keys = self.sequence
        top = "NULL" if self.field.null else keys.at("1")
        above = keys.at(self.kind.dialect.quotient.format(f"({i} + 8)", 10))
        return f"CASE WHEN {i} = 1 THEN {top} ELSE {above} END"


@dataclass(frozen=True, eq=False, kw_only=True)
class NamedReference(ConstantColumn):
    """A reference to rows of which statements name the keys, in turn."""

    parent: Table

    def demand(self, want: int) -> None:
        self.parent.ensure_rows()
        self.parent.require(len(self.values))


class UniqueReference(Reference, UniqueColumn):
    def capacity(self) -> int:
        return self.sequence.limit

    def place(self, have: int, want: int) -> None:
        self.sequence.place(have, want)

    def demand(self, want: int) -> None:
        super().demand(want)
        if self.sequence.fresh:
            self.sequence.require(want)


class OptionalReference(UniqueReference):
    """A unique reference that may be empty, and is where the parents have run out."""

    def capacity(self) -> int:
        return UNLIMITED

    def demand(self, want: int) -> None:
        parent = self.sequence.parent
        parent.ensure_rows()
        parent.require(0 if parent.requested else min(want, parent.capacity()[0]))

    def value(self, i: str) -> str:
        return f"CASE WHEN {i} <= {self.sequence.size} THEN {super().value(i)} END"
