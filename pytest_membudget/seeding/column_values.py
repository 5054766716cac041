"""The values of one column among which the template rows choose."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from pytest_membudget.seeding.column_stats import ColumnStats
from pytest_membudget.seeding.columns import Column, Picked, Varied
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import FieldKind, kind_of, stored_as_builtin
from pytest_membudget.seeding.gauge import Gauge, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from django.db import models
    from faker import Faker

    from pytest_membudget.seeding.staging_tables import StagingTables
    from pytest_membudget.seeding.table import Table

    Field = models.Field[Any, Any]

_TRIES = 20


class ColumnValues:
    """Draws for one table, as many as its template has rows."""

    def __init__(self, table: Table, fake: Faker) -> None:
        self._table = table
        self._size = table.size
        self._fake = fake

    def draw(self, column: Column, staging: StagingTables) -> list[Any]:
        """Values that can be stored; what the table's rules say of them is not asked yet."""
        if isinstance(column, Picked):
            return [1]
        field = column.field
        if column.constant:
            return column.constant
        self._fake.seed_instance(seed_of(f"{self._table.label}.{field.name}"))
        errors: list[Exception] = []
        for make in self._ways(column, staging):
            try:
                pool = make()
                if not stored_as_builtin(field):
                    staging.trial(self._table.model, field, pool)
                return pool
            except Exception as error:  # a field may raise anything
                errors.append(error)
        raise unstorable(self._table.label, field.name, errors)

    def laid_out(self, column: Column, pool: list[Any]) -> list[Any]:
        """A value for each template row, and the profile's share of NULLs between them."""
        if column.shape is None or column.constant:
            return pool
        rng = self._fake.random
        rng.seed(seed_of(f"{self._table.label}.{column.field.name}.order"))
        empty = shares(self._size, column.nulls or 0, rng)
        order = _rounds(pool, empty.count(False), rng)
        return [None if missing else next(order) for missing in empty]

    def _ways(self, column: Column, staging: StagingTables) -> list[Callable[[], list[Any]]]:
        field = column.field
        kind = kind_of(field, staging.dialect)
        allowed = kind.choices
        makes: list[Callable[[], Any]] = [
            lambda: kind.plausible(self._fake),
            lambda: field.to_python(kind.plausible(self._fake)),
        ]
        if allowed:
            makes = [lambda: self._fake.random.choice(allowed)]
        if field.has_default():
            makes.append(field.get_default)
        if field.null:
            makes.append(lambda: None)
        ways = [self._repeating(make, 1 if column.once else self._size) for make in makes]
        shape = column.shape
        if shape is not None and not allowed:
            ways.insert(0, lambda: self._shaped(column, shape, kind, staging))
        return ways

    def _repeating(self, make: Callable[[], Any], count: int) -> Callable[[], list[Any]]:
        return lambda: [make() for _ in range(count)]

    def _shaped(
        self, column: Column, shape: ColumnStats, kind: FieldKind, staging: StagingTables
    ) -> list[Any]:
        rng, dialect = self._fake.random, staging.dialect
        count = self._count(column, shape)
        if isinstance(column, Varied) and (numbers := column.numbers(count, rng)):
            return numbers
        width = shape.width
        if width is None and isinstance(column, Varied):
            width = column.variation.width
        made = kind.sized(self._fake) if width is not None else None
        if made is None or width is None:
            return _different(lambda: kind.plausible(self._fake), count, shape.distinct)
        gauge = Gauge(staging, column.field, shape.compressed and dialect.compresses, shape.text)
        if shape.compressed and not gauge.compressed:
            width *= kind.compression
        if made.exact:
            width = min(width, made.most)
        marks = column.variation.marks if isinstance(column, Varied) else ""
        tails = [kind.ending(n, width) + marks if shape.distinct else "" for n in range(count)]
        return gauge.fitted(made, width, tails, rng)

    def _count(self, column: Column, shape: ColumnStats) -> int:
        """How many different values the template holds."""
        filled = max(1, round(self._size * (1 - (column.nulls or 0))))
        if isinstance(column, Varied):
            return min(filled, max(1, round(self._size * (shape.variety or 1))))
        return min(filled, max(1, shape.distinct or filled))


def _different(draw: Callable[[], Any], count: int, distinct: int | None) -> list[Any]:
    """So many values, different ones if it is known how many there are of them."""
    if distinct is None:
        return [draw() for _ in range(count)]
    found: dict[str, Any] = {}
    for _ in range(_TRIES * count):
        value = draw()
        found.setdefault(repr(value), value)
        if len(found) == count:
            break
    return list(found.values())


def _rounds(pool: list[Any], count: int, rng: Random) -> Iterator[Any]:
    """The values again and again, each time in another order, so that no two columns agree."""
    while True:
        yield from pool if len(pool) >= count else rng.sample(pool, len(pool))


def seed_of(name: str) -> int:
    return zlib.crc32(name.encode())
