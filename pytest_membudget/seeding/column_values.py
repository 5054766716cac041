"""The values of one column among which the template rows choose."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

from pytest_membudget.seeding.columns import Column, ConstantColumn, DrawnColumn
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.gauge import Gauge, shares
from pytest_membudget.seeding.staging_tables import StagingTables

_TRIES = 20


def draw(column: Column, size: int, staging: StagingTables) -> list[Any]:
    """Values for ``size`` rows that can be stored; the rules of the table are not applied yet."""
    if isinstance(column, ConstantColumn):
        return column.values
    if not isinstance(column, DrawnColumn):
        return [1]
    field, rng = column.field, Random(seed_of(str(column.field)))
    errors: list[Exception] = []
    for attempt in _attempts(column, column.count(size), staging, rng):
        try:
            values = attempt()
            if not stored_as_builtin(field):
                staging.trial(field, values)
            return values
        except Exception as error:  # a field may raise anything
            errors.append(error)
    raise unstorable(field.model._meta.label, field.name, errors)


def arranged(column: Column, values: list[Any], size: int, nulls: float | None) -> list[Any]:
    """A value for each template row, and the profile's share of NULLs between them."""
    if column.stats is None or isinstance(column, ConstantColumn):
        return values
    rng = Random(seed_of(f"{column.field}.order"))
    empty = shares(size, nulls or 0, rng)
    order = _rounds(values, empty.count(False), rng)
    return [None if missing else next(order) for missing in empty]


def _attempts(
    column: DrawnColumn, count: int, staging: StagingTables, rng: Random
) -> Iterator[Callable[[], list[Any]]]:
    """Ways to make the values: a field of the project's own may refuse some of them."""
    field, kind = column.field, column.kind

    def repeat(make: Callable[[], Any]) -> Callable[[], list[Any]]:
        return lambda: [make() for _ in range(count)]

    if kind.choices:
        yield repeat(lambda: rng.choice(kind.choices))
    else:
        if column.stats is not None:
            yield lambda: _fitted(column, count, staging, rng)
        yield repeat(lambda: kind.plausible(rng))
        yield repeat(lambda: field.to_python(kind.plausible(rng)))
    if field.has_default():
        yield repeat(field.get_default)
    if field.null:
        yield repeat(lambda: None)


def _fitted(column: DrawnColumn, count: int, staging: StagingTables, rng: Random) -> list[Any]:
    """Values as the profile says."""
    kind, stats, variation = column.kind, column.stats, column.variation
    assert stats is not None
    if variation and variation.at:
        return [variation.at(n) for n in rng.sample(range(variation.room), count)]
    width = stats.width if stats.width is not None or not variation else variation.width
    sized = kind.sized(rng) if width is not None else None
    if sized is None or width is None:
        drawn = (kind.plausible(rng) for _ in range(_TRIES * count))
        return [*islice(drawn, count)] if stats.distinct is None else _different(drawn, count)
    if sized.exact:
        width = min(width, sized.most)
    marks = variation.marks if variation else ""
    endings = [kind.ending(n, width) + marks if stats.distinct else "" for n in range(count)]
    gauge = Gauge(staging, column.field, stats.compressed, stats.text)
    return gauge.fitted(sized, width, endings, rng)


def _different(values: Iterator[Any], count: int) -> list[Any]:
    """The first ``count`` different values, or fewer."""
    found: dict[str, Any] = {}
    while len(found) < count and (value := next(values, None)) is not None:
        found.setdefault(repr(value), value)
    return list(found.values())


def _rounds(values: list[Any], count: int, rng: Random) -> Iterator[Any]:
    """The values again and again, each time in another order, so that no two columns agree."""
    while True:
        yield from values if len(values) >= count else rng.sample(values, len(values))


def seed_of(name: str) -> int:
    return zlib.crc32(name.encode())
