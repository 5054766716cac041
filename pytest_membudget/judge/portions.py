"""Rows that a migration loads by values of which the profile knows how many rows have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_membudget.judge.matching import filter_values
from pytest_membudget.profile.shares import Share, ValueShares
from pytest_membudget.sample import ForcedValues, Run, Sample, Shares
from pytest_membudget.sample.selection import Selection

_ALL = 0.9
# Template rows are so many that a share may be off by so much.
_ROUNDED = 0.01
_MORE = 1.1


@dataclass(frozen=True)
class Portion:
    """What a statement loads of ``table``, as shares of its rows.

    ``seeded`` is the share of the sample, production's lies between ``low`` and ``high``.
    ``columns`` are those whose values the rows have.
    """

    table: str
    columns: Mapping[str, Sequence[Any]]
    seeded: float
    low: float
    high: float


@dataclass(frozen=True)
class AskedShares:
    """Columns that a migration compares with ``values`` of which the profile knows the ``shares``.

    ``followed`` are those columns whose generated rows have these shares in any case.
    """

    values: ForcedValues
    shares: Shares
    followed: frozenset[tuple[str, str]]

    def without_followed(self, forced: ForcedValues) -> ForcedValues:
        followed = self.followed
        left = {
            table: {name: its for name, its in columns.items() if (table, name) not in followed}
            for table, columns in forced.items()
        }
        return {table: columns for table, columns in left.items() if columns}


def asked_shares(run: Run, known: ValueShares) -> AskedShares:
    """Those of a run."""
    values: dict[str, dict[str, Sequence[Any]]] = {}
    shares: dict[str, dict[str, Sequence[float]]] = {}
    followed = set()
    for table, columns in filter_values(run, empty=False).items():
        for name, asked in columns.items():
            found = known.of(table, name, asked)
            if found is None or (table, name) in run.not_equal:
                continue
            if _follows(asked, found):
                followed.add((table, name))
            elif sum(one.seeded for one in found) <= 1:
                shares.setdefault(table, {})[name] = [one.seeded for one in found]
                if asked != [None]:
                    values.setdefault(table, {})[name] = asked
    return AskedShares(values, shares, frozenset(followed))


def _follows(asked: Sequence[Any], shares: Sequence[Share]) -> bool:
    """Whether generated rows have these shares without being told: those of NULL."""
    return all(one is None for one in asked) and not any(one.is_assumed for one in shares)


def portions(sample: Sample, tables: Mapping[str, str], known: ValueShares) -> list[Portion]:
    """Those of the statements of a sample; ``tables`` are by label.

    None of statements that found more rows than had been seeded: the migration has changed them.
    """
    return [
        found
        for one in sample.run.selections
        if (found := _portion(one, sample, tables, known)) is not None
    ]


def are_all_known(table: str, found: Sequence[Portion], sample: Sample, rows: int) -> bool:
    """Whether each statement that loads any of the ``rows`` of a table loads a portion, or all."""
    loaded = [one for one in sample.run.selections if one.table == table]
    known = [one for one in found if one.table == table]
    whole = [one for one in loaded if not one.equal and one.fetched >= _ALL * rows]
    return bool(known) and len(known) + len(whole) == len(loaded)


def rows_of(table: str, sample: Sample, tables: Mapping[str, str]) -> int:
    """How many rows a sample had in a table."""
    labels = [label for label, its in {**sample.tables, **tables}.items() if its == table]
    return max((sample.rows.get(one, sample.seeded.get(one, 0)) for one in labels), default=0)


def certain(sample: Sample, known: ValueShares) -> tuple[ForcedValues, Shares]:
    """The values of a sample that a share of the rows is known to have, and the shares."""
    values: dict[str, dict[str, Sequence[Any]]] = {}
    shares: dict[str, dict[str, Sequence[float]]] = {}
    for table, columns in sample.shares.items():
        for name, its in columns.items():
            asked = sample.forced_values[table][name]
            if not any(one.is_assumed for one in known.of(table, name, asked) or ()):
                values.setdefault(table, {})[name] = asked
                shares.setdefault(table, {})[name] = its
    return values, shares


def _portion(
    selection: Selection, sample: Sample, tables: Mapping[str, str], known: ValueShares
) -> Portion | None:
    table, rows = selection.table, rows_of(selection.table, sample, tables)
    found: dict[str, tuple[float, list[Share]]] = {}
    for name, asked in selection.equal.items():
        shares = known.of(table, name, asked)
        seeded = None if shares is None else _seeded(sample, (table, name), asked, shares)
        reliable = (table, name) not in sample.run.not_equal
        if reliable and shares is not None and seeded is not None:
            found[name] = seeded, shares
    if not rows or not found or not selection.fetched:
        return None
    seen, expected = selection.fetched / rows, min(seeded for seeded, _ in found.values())
    if seen > expected * _MORE + _ROUNDED:
        return None
    lows, highs = zip(*(_bounds(shares) for _, shares in found.values()), strict=True)
    return Portion(
        table,
        {name: selection.equal[name] for name in found},
        seeded=min(seen, expected),
        low=max(0.0, sum(lows) - (len(lows) - 1)),
        high=min(highs),
    )


def _bounds(shares: Sequence[Share]) -> tuple[float, float]:
    return sum(one.low for one in shares), min(1.0, sum(one.high for one in shares))


def _seeded(
    sample: Sample, place: tuple[str, str], asked: Sequence[Any], shares: Sequence[Share]
) -> float | None:
    """The share of the seeded rows that have one of the values; None where that is not known."""
    table, name = place
    forced = sample.forced_values.get(table, {}).get(name)
    if forced is None:
        return sum(one.seeded for one in shares) if _follows(asked, shares) else None
    each = sample.shares.get(table, {}).get(name)
    if each is not None:
        return sum(share for value, share in zip(forced, each, strict=True) if value in asked)
    return sum(value in asked for value in forced) / len(forced) if forced else 1.0
