"""Distinct values, numbered from 1: in Python, and as SQL expressions of the number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.staging_tables import StagingTables, lookup, new_name


@dataclass(frozen=True)
class Numbering:
    """``size`` distinct values, made in Python."""

    size: int
    at: Callable[[int], Any]

    @staticmethod
    def of(values: list[Any]) -> Numbering:
        return Numbering(len(values), lambda n: values[n - 1])


class Sequence(ABC):
    """``size`` distinct values, of which the database can tell the n-th."""

    size: int
    growable: bool = False
    requested: bool = False
    fresh: bool = True
    """Can there be as many as :meth:`require` says? Does the caller say how many there are?
    Are there none of these values in rows that were there before?"""

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
