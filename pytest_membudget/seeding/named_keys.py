"""Keys that statements name, of rows that are generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pytest_membudget.seeding import sequences
from pytest_membudget.seeding.dialects.base import Dialect, Field
from pytest_membudget.seeding.staging_tables import StagingTables


def keys_of(field: Field, wanted: Sequence[Any]) -> list[Any]:
    """Those of the values that the field of a key can hold."""
    found = []
    for value in wanted:
        with suppress(Exception):  # a field may raise anything
            found += [field.to_python(value)] if value is not None else []
    return found


@dataclass
class NamedKeys(sequences.Sequence):
    """A sequence whose first values are the ``named`` ones, which may come to be known later.

    Where they are further values of a sequence of whole numbers, those change places with them.
    """

    values: sequences.Sequence
    named: list[Any]
    field: Field
    dialect: Dialect

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.values.size

    @property
    def fresh(self) -> bool:  # type: ignore[override]
        return self.values.fresh

    def at(self, number: str) -> str:
        plain = self.values.at(number)
        if not self.named:
            return plain
        cases = (f"WHEN {place} THEN {value}" for place, value in self._places())
        return f"CASE {number} {' '.join(cases)} ELSE {plain} END"

    def prepare(self, staging: StagingTables, count: int) -> None:
        self.values.prepare(staging, count)

    def _places(self) -> Iterator[tuple[int, str]]:
        """The numbers at which the value is another one, with that."""
        named = list(dict.fromkeys(self.named))
        for place, value in enumerate(named, 1):
            stored = self.field.get_db_prep_value(value, self.dialect.connection)
            yield place, self.dialect.literal(stored)
        own = [place for value in named if (place := self._place(value))]
        freed = [place for place in range(1, len(named) + 1) if place not in own]
        taken = [place for place in own if place > len(named)]
        yield from zip(taken, (self.values.at(str(place)) for place in freed), strict=False)

    def _place(self, value: Any) -> int:
        """The number of the value among the others, 0 where it is none of them."""
        if not isinstance(value, int):
            return 0
        [(first,)] = self.dialect.execute(f"SELECT {self.values.at('1')}")
        return max(0, value - int(first) + 1)
