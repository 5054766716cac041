"""Numbered values as SQL: the n-th value of a column as an expression of n."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models

from pytest_membudget.seeding.dialect import NUMBER
from pytest_membudget.seeding.numbering import Numbering

if TYPE_CHECKING:
    from pytest_membudget.seeding.staging_tables import Scratch

    Field = models.Field[Any, Any]

_DIGITS = 9
_STORAGE = {
    "db_type",
    "from_db_value",
    "get_db_prep_save",
    "get_db_prep_value",
    "get_internal_type",
    "get_placeholder",
    "get_placeholder_sql",
    "get_prep_value",
    "rel_db_type",
}


def trusted(field: Field) -> bool:
    """Is the field stored just as Django's own base class of it?"""
    base = getattr(field, "base_field", None)
    if isinstance(base, models.Field) and not trusted(base):
        return False
    for kind in type(field).__mro__:
        if kind.__module__.startswith("django."):
            return True
        if _STORAGE & vars(kind).keys():
            return False
    return False


class Domain(ABC):
    """Different values, numbered from 1 to ``size``."""

    size: int

    @abstractmethod
    def at(self, number: str) -> str:
        """SQL of the value with this number, itself an SQL expression."""

    def prepare(self, scratch: Scratch, count: int) -> None:  # noqa: B027
        """Make what :meth:`at` reads, for the numbers up to ``count``."""


@dataclass
class Formula(Domain):
    """Computed by the database from the number alone."""

    size: int
    write: Callable[[str], str]

    def at(self, number: str) -> str:
        return self.write(number)


@dataclass
class Lookup(Domain):
    """Made in Python and looked up by number, where no formula can say the value."""

    name: str
    field: Field
    column: str
    numbering: Numbering

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.numbering.size

    def at(self, number: str) -> str:
        return f"(SELECT k.{self.column} FROM {self.name} AS k WHERE k.{NUMBER} = {number})"

    def prepare(self, scratch: Scratch, count: int) -> None:
        rows = [(self.numbering.at(n),) for n in range(1, min(self.size, count) + 1)]
        scratch.create(self.name, [self.field])
        scratch.load(self.name, self.field.model, [self.field], rows)
