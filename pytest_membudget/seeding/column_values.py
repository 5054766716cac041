"""The values of a column that the template rows choose from, with the widths of the profile."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from itertools import accumulate, islice, pairwise
from math import floor
from random import Random
from typing import Any
from uuid import UUID

from pytest_membudget.profile.production import ColumnStats
from pytest_membudget.seeding.columns import Column, ConstantColumn, DrawnColumn
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.errors import unstorable
from pytest_membudget.seeding.fields import stored_as_builtin
from pytest_membudget.seeding.fields.base import SizedValues
from pytest_membudget.seeding.portions import PortionedColumn
from pytest_membudget.seeding.staging_tables import StagingTables, new_name

_TRIES = 20
_ROUNDS = 6
_CLOSE = 0.005
_SAMPLE = 200
_LEAST = 10
_BYTES = 1 << 20
"""How many values are measured: fewer of wide ones, which differ less from each other."""

_SPREAD = 0.6
_STRETCH = 40


def draw(column: Column, size: int, staging: StagingTables) -> list[Any]:
    """Values for ``size`` rows that can be stored; the rules of the table are not applied yet."""
    if isinstance(column, ConstantColumn):
        return column.values
    if isinstance(column, PortionedColumn):
        return draw(column.rest, size, staging)
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
    if isinstance(column, PortionedColumn):
        rest = column.rest
        return column.arranged(
            values, size, lambda others, left, empty: arranged(rest, others, left, empty)
        )
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
        if not stored_as_builtin(field):
            yield repeat(lambda: str(IPv4Address(rng.getrandbits(32))))
            yield repeat(lambda: str(UUID(int=rng.getrandbits(128), version=4)))
            yield repeat(list)
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
    state, least = rng.getstate(), max(map(len, endings))

    def make(mean: float, count: int) -> list[Any]:
        rng.setstate(state)
        wanted = sizes(mean, count, sized, least, rng)
        return [sized.make(size, ending) for size, ending in zip(wanted, endings, strict=False)]

    mean = width / sized.unit
    if not sized.exact or stats.compressed or not stored_as_builtin(column.field):
        sample = min(count, max(_LEAST, min(_SAMPLE, int(_BYTES / (width + 1)))))

        def measure(mean: float) -> float:
            return _measured(column.field, stats, make(mean, sample), staging)

        mean = _adjusted(mean, width, measure)
    return make(mean, count)


def _adjusted(mean: float, width: float, measure: Callable[[float], float]) -> float:
    """The mean size of values that are ``width`` bytes wide as they are measured."""
    before: tuple[float, float] | None = None
    for _ in range(_ROUNDS):
        found = measure(mean)
        if abs(found - width) <= _CLOSE * width or not found:
            break
        if before is not None and found != before[1]:
            # What is stored beside the contents makes a straight line better than a ratio.
            slope = (found - before[1]) / (mean - before[0])
        else:
            slope = found / mean
        before = mean, found
        mean = max(mean + (width - found) / slope, mean / 4) if slope > 0 else mean / 2
    return mean


def _measured(field: Field, stats: ColumnStats, values: list[Any], staging: StagingTables) -> float:
    """The average bytes of values once they are stored as in the table."""
    dialect, name = staging.dialect, new_name()
    stored = dialect.stored(field, compressed=stats.compressed, text=stats.text)
    with staging.attempt(name, [field]):
        if stats.compressed:
            dialect.compress(name)
        staging.load(name, [field], [(value,) for value in values])
        [(found,)] = dialect.execute(f"SELECT avg({stored}) FROM {name}")
    return float(found or 0)


def _different(values: Iterator[Any], count: int) -> list[Any]:
    """The first ``count`` different values, or fewer."""
    found: dict[str, Any] = {}
    while len(found) < count and (value := next(values, None)) is not None:
        found.setdefault(repr(value), value)
    return list(found.values())


def _rounds(values: list[Any], count: int, rng: Random) -> Iterator[Any]:
    """The values repeatedly, each time in another order, so that columns are not correlated."""
    while True:
        yield from values if len(values) >= count else rng.sample(values, len(values))


def seed_of(name: str) -> int:
    return zlib.crc32(name.encode())


def sizes(mean: float, count: int, sized: SizedValues, least: int, rng: Random) -> list[int]:
    """``count`` sizes around ``mean``, whose average is ``mean`` in each part of the list."""
    least = max(least, sized.least)
    if mean < sized.small:
        filled = max(mean, 0) / sized.small
        return [sized.small * hit for hit in shares(count, filled, rng)]
    mean = min(max(mean, least), sized.most)
    room = min(mean - least, sized.most - mean, _SPREAD * mean)
    exact: list[float] = []
    while len(exact) < count:
        away = rng.triangular(-room, room)
        exact += [mean - away, mean + away] if len(exact) + 1 < count else [mean]
    totals = [floor(total + 0.5) for total in accumulate(exact, initial=0.0)]
    return [after - before for before, after in pairwise(totals)]


def shares(count: int, share: float, rng: Random) -> list[bool]:
    """``count`` marks of which a share is set, evenly over the list."""
    marks = [floor((n + 1) * share + 0.5) > floor(n * share + 0.5) for n in range(count)]
    for start in range(0, count, _STRETCH):
        stretch = marks[start : start + _STRETCH]
        rng.shuffle(stretch)
        marks[start : start + _STRETCH] = stretch
    return marks
