"""The values of one column among which the template rows choose."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from faker import Faker

from pytest_membudget.seeding.column_stats import ColumnStats
from pytest_membudget.seeding.columns import Column, ConstantColumn, DrawnColumn
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.gauge import Gauge, shares
from pytest_membudget.seeding.staging_tables import StagingTables
from pytest_membudget.seeding.table import Table

_TRIES = 20


class ColumnValues:
    """Draws for one table, as many as its template has rows."""

    def __init__(self, table: Table, fake: Faker, size: int) -> None:
        self.size = size
        self._table = table
        self._fake = fake

    def draw(self, column: Column, staging: StagingTables) -> list[Any]:
        """Values that can be stored; what the table's rules say of them is not asked yet."""
        if isinstance(column, ConstantColumn):
            return column.values
        if not isinstance(column, DrawnColumn):
            return [1]
        field = column.field
        self._fake.seed_instance(seed_of(f"{self._table.label}.{field.name}"))
        errors: list[Exception] = []
        for attempt in self._attempts(column, staging):
            try:
                values = attempt()
                if not stored_as_builtin(field):
                    staging.trial(self._table.model, field, values)
                return values
            except Exception as error:  # a field may raise anything
                errors.append(error)
        raise unstorable(self._table.label, field.name, errors)

    def arranged(self, column: Column, values: list[Any], nulls: float | None) -> list[Any]:
        """A value for each template row, and the profile's share of NULLs between them."""
        if column.stats is None or isinstance(column, ConstantColumn):
            return values
        rng = self._fake.random
        rng.seed(seed_of(f"{self._table.label}.{column.field.name}.order"))
        empty = shares(self.size, nulls or 0, rng)
        order = _rounds(values, empty.count(False), rng)
        return [None if missing else next(order) for missing in empty]

    def _attempts(
        self, column: DrawnColumn, staging: StagingTables
    ) -> Iterator[Callable[[], list[Any]]]:
        """Ways to make the values: a field of the project's own may refuse some of them."""
        field, kind, stats, fake = column.field, column.kind, column.stats, self._fake

        def repeat(make: Callable[[], Any]) -> Callable[[], list[Any]]:
            return lambda: [make() for _ in range(column.count(self.size))]

        if kind.choices:
            yield repeat(lambda: fake.random.choice(kind.choices))
        else:
            if stats is not None:
                yield lambda: self._fitted(column, stats, staging)
            yield repeat(lambda: kind.plausible(fake))
            yield repeat(lambda: field.to_python(kind.plausible(fake)))
        if field.has_default():
            yield repeat(field.get_default)
        if field.null:
            yield repeat(lambda: None)

    def _fitted(self, column: DrawnColumn, stats: ColumnStats, staging: StagingTables) -> list[Any]:
        """Values as the profile says."""
        rng, dialect = self._fake.random, staging.dialect
        kind, variation, count = column.kind, column.variation, column.count(self.size)
        if variation and variation.at:
            return [variation.at(n) for n in rng.sample(range(variation.room), count)]
        width = stats.width if stats.width is not None or not variation else variation.width
        sized = kind.sized(self._fake) if width is not None else None
        if sized is None or width is None:
            return self._different(column, count, stats.distinct)
        compressed = stats.compressed and dialect.compresses
        if stats.compressed and not compressed:
            width *= kind.compression
        if sized.exact:
            width = min(width, sized.most)
        marks = variation.marks if variation else ""
        endings = [kind.ending(n, width) + marks if stats.distinct else "" for n in range(count)]
        gauge = Gauge(staging, column.field, compressed, stats.text)
        return gauge.fitted(sized, width, endings, rng)

    def _different(self, column: DrawnColumn, count: int, distinct: int | None) -> list[Any]:
        """So many values, different ones if it is known how many there are of them."""
        draw = column.kind.plausible
        if distinct is None:
            return [draw(self._fake) for _ in range(count)]
        found: dict[str, Any] = {}
        for _ in range(_TRIES * count):
            value = draw(self._fake)
            found.setdefault(repr(value), value)
            if len(found) == count:
                break
        return list(found.values())


def _rounds(values: list[Any], count: int, rng: Random) -> Iterator[Any]:
    """The values again and again, each time in another order, so that no two columns agree."""
    while True:
        yield from values if len(values) >= count else rng.sample(values, len(values))


def seed_of(name: str) -> int:
    return zlib.crc32(name.encode())
