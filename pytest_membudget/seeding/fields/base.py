"""The base of all kinds of field; by_column.py finds the kind of a field."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, TypeVar

from django.db import models

from pytest_membudget.seeding.dialects.base import Dialect, Field
from pytest_membudget.seeding.sequences import Formula, Numbering

HUGE = 1 << 53
SPAN = 1000
"""Numbers of one round of the template lie less than this apart, in steps of the last digit."""

# Texts and numbers go through to_python() before they are stored.
_STORAGE = re.compile(
    r"(rel_)?db_type|from_db_value|get_(db_)?prep_\w+|get_internal_type|get_placeholder(_sql)?"
    r"|to_python"
)


@dataclass(frozen=True)
class WantedValues:
    """What the values of a unique column have to be.

    ``after``: the largest number in use, or the count of rows for what is no number.
    ``literals``: the constants in the rules.
    ``exact``: False if they also have to differ in what an expression leaves of them, their day.
    ``width``: of a text, on average, where it is known.
    """

    after: int
    literals: list[Any]
    exact: bool
    width: float | None


@dataclass(frozen=True)
class SizedValues:
    """``make(size, ending)`` is a value of so many units; a text ends in ``ending``.

    ``unit`` is about how many bytes one unit takes, exactly so where ``exact``. Sizes of less
    than ``small`` on average are a mixture of empty ones and of ``small`` ones, as in production.
    """

    make: Callable[[int, str], Any]
    unit: float = 1.0
    exact: bool = False
    least: int = 0
    most: float = float("inf")
    small: int = 0


@dataclass(frozen=True)
class Variation:
    """How the template's values differ in each round: ``write(value, round)`` is SQL.

    Numbers and times: ``at(place)`` is the template's value, with ``room`` places to choose from.
    Texts: they are ``width`` wide and end in ``marks``.
    """

    write: Callable[[str, str], str]
    at: Callable[[int], Any] | None = None
    room: int = SPAN
    width: float | None = None
    marks: str = ""


class FieldKind(ABC):
    """Makes the values of one kind of field.

    ``field`` is the project's own field, or the built-in one that is most like it.
    ``has_variety``: may a profile say how many distinct values there are?
    ``counts_on``: do unique values go on after the largest one, not after the count of rows?
    ``unique_rank``: of several columns, the one with the lowest becomes the unique one.
    ``compression``: how many bytes of such values PostgreSQL compresses to one.
    """

    has_variety: ClassVar[bool] = True
    counts_on: ClassVar[bool] = False
    unique_rank: ClassVar[int] = 5
    compression: float = 1.0

    def __init__(self, field: Any, dialect: Dialect) -> None:
        self.field = field
        self.dialect = dialect

    @property
    def choices(self) -> list[Any]:
        return [value for value, _ in self.field.flatchoices if value not in (None, "")]

    @abstractmethod
    def plausible(self, rng: Random) -> Any:
        """A value as a model instance holds it, never None."""

    @abstractmethod
    def numbering(self) -> Numbering:
        """The n-th distinct value, in Python."""

    def distinct(self) -> Numbering:
        """The choices where there are some."""
        return Numbering.of(self.choices) if self.choices else self.numbering()

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        """The n-th distinct value, in SQL: the plain formula, then those a rule might ask for."""
        return iter(())

    def sized(self, rng: Random) -> SizedValues | None:
        """Values of a wished width, or None if they have no width that could be chosen."""
        return None

    def ending(self, place: int, width: float) -> str:
        """The end of a text of this width that makes it different from the template's others."""
        return ""

    def variation(self, width: float | None) -> Variation | None:
        """How the values can be varied, or None if they cannot."""
        return None

    def extremes(self) -> list[Any]:
        """A very small and a very large value, below and above whatever else a row holds."""
        return []


_KINDS: dict[type[Field], type[FieldKind]] = {}
_Kind = TypeVar("_Kind", bound=type[FieldKind])


def register(*fields: type[Field]) -> Callable[[_Kind], _Kind]:
    """A class decorator: the kind of these field classes, and of those that derive from them."""

    def decorate(kind: _Kind) -> _Kind:
        _KINDS.update(dict.fromkeys(fields, kind))
        return kind

    return decorate


def registered_kind(field: Field) -> type[FieldKind] | None:
    """The kind of its class, or of the nearest one that it derives from."""
    return next((_KINDS[base] for base in type(field).__mro__ if base in _KINDS), None)


def stored_as_builtin(field: Field) -> bool:
    """Is the field stored just as Django's own base class of it?"""
    base = getattr(field, "base_field", None)
    if isinstance(base, models.Field) and not stored_as_builtin(base):
        return False
    for kind in type(field).__mro__:
        if kind.__module__.startswith("django."):
            return True
        if any(map(_STORAGE.fullmatch, vars(kind))):
            return False
    return False
