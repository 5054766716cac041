"""What is known of production: how many rows each table has, and what they are like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.profile.shares import ValueShares

EVERY_OTHER = "*"


@dataclass(frozen=True)
class ColumnStats:
    """One column in production; None is unknown.

    ``width``: average bytes of the values that are not NULL, without the database's own header.
    ``compressed``: is that the width after TOAST's compression?
    ``text``: is it that of the text which a document or an array is read as, not of what is stored?
    ``nulls``: the share of NULLs, 0 to 1.
    ``distinct``: how many different values there are among ``rows`` rows.
    """

    width: float | None = None
    compressed: bool = False
    text: bool = False
    nulls: float | None = None
    distinct: int | None = None
    rows: int | None = None

    @property
    def variety(self) -> float | None:
        """Different values for each row, up to 1."""
        if self.distinct is None or not self.rows:
            return None
        return min(1.0, self.distinct / self.rows)


StatsByColumn = Mapping[str, Mapping[str, ColumnStats]]
"""What is known, by table and column."""


@dataclass(frozen=True)
class Production:
    """Row counts by table, as the profile has them, and by model, as they were stated.

    ``stated`` wins over the profile and ``fallback`` is asked where neither knows; a label of
    ``"*"`` stands for every other model.  ``shape`` says by table and column what values are like;
    ``profile`` is the path of the file, None where there is none; ``shares`` says which share of
    the rows has a value.  ``most`` is how many rows a model can have that has only so many unique
    values: it has no more where nobody named its own row count.
    """

    profile: str | None = None
    tables: Mapping[str, int | None] = field(default_factory=dict)
    stated: Mapping[str, int] = field(default_factory=dict)
    fallback: Mapping[str, int] = field(default_factory=dict)
    shape: StatsByColumn = field(default_factory=dict)
    shares: ValueShares = field(default_factory=ValueShares)
    most: Mapping[str, int] = field(default_factory=dict)

    def narrowed(self, table: str, columns: Iterable[str], widths: Mapping[str, int]) -> float:
        """By how many bytes ``columns`` are narrower in a row than production's are."""
        known = self.shape.get(table, {})
        missing = ((known[one].width or 0) - widths.get(one, 0) for one in columns if one in known)
        return sum(max(0.0, one) for one in missing)

    def narrower(self, table: str, widths: Mapping[str, int] | None) -> float:
        """The same of all columns; 0 where the widths are not known."""
        return 0.0 if widths is None else self.narrowed(table, self.shape.get(table, ()), widths)

    def notes(self, tables: Mapping[str, str]) -> list[Finding]:
        """What is not known of these tables, by model."""
        found = []
        others = self._others
        fewer = [
            f"{self.most[label]:,} {label}"
            for label, table in tables.items()
            if self.rows(table, label) not in (self.named_rows(table, label), others)
        ]
        if fewer:
            text = (
                f"no more rows can differ in their unique columns: {', '.join(fewer)}; the row "
                f"count for every other model is {others:,}"
            )
            found.append(Finding(FindingCode.ROWS_FEWER, text))
        if self.profile is None:
            return found
        columns = {label: self.shape.get(table, {}) for label, table in tables.items()}
        plain = [
            label
            for label, known in columns.items()
            if all(one.width is None for one in known.values())
        ]
        if plain:
            text = (
                f"{self.profile} has no column widths for {', '.join(plain)}, so the generated "
                "values have plausible widths for their fields"
            )
            found.append(Finding(FindingCode.WIDTHS_UNKNOWN, text))
        compressed = [
            f"{label}.{name}"
            for label, known in columns.items()
            for name, one in known.items()
            if one.compressed
        ]
        if compressed:
            text = (
                f"{', '.join(compressed)} may be stored compressed, so the uncompressed widths "
                "are estimated from the compression of generated values; membudget profile "
                "--exact measures them"
            )
            found.append(Finding(FindingCode.WIDTHS_COMPRESSED, text))
        return found

    def width(self, table: str) -> float | None:
        """Average bytes of a row; None where the profile does not know all of its columns."""
        columns = self.shape.get(table, {}).values()
        widths = [one.width if one.nulls != 1 else 0 for one in columns]
        known = [width for width in widths if width is not None]
        return sum(known) if widths and len(known) == len(widths) else None

    def rows(self, table: str, label: str) -> int | None:
        """The row count of a model; None where nobody knows."""
        exact, others = self.named_rows(table, label), self._others
        if exact is not None or others is None:
            return exact
        return min(others, self.most.get(label, others))

    def named_rows(self, table: str, label: str) -> int | None:
        """The row count that was given for this very model; None where none was."""
        return next((rows for rows, _ in self._named(table, label)), None)

    def has_none(self, label: str) -> bool:
        """Whether it was stated that a model has no rows; the profile may only estimate that."""
        given = (_by_lower(one).get(label.lower()) for one in (self.stated, self.fallback))
        return next((rows for rows in given if rows is not None), None) == 0

    def source(self, table: str, label: str) -> str | None:
        """Where its row count comes from: the command line, the file of the profile, or an option;
        None where nobody knows it.
        """
        where = next((source for _, source in self._named(table, label)), None)
        return where or ("membudget_rows" if self.rows(table, label) is not None else None)

    @property
    def _others(self) -> int | None:
        """The row count of the models that none was given for."""
        return self.stated.get(EVERY_OTHER, self.fallback.get(EVERY_OTHER))

    def _named(self, table: str, label: str) -> Iterator[tuple[int, str | None]]:
        """The row counts that were given for this very model, and where; the winner first."""
        for known, key, source in (
            (_by_lower(self.stated), label.lower(), "the command line"),
            (self.tables, table, self.profile),
            (_by_lower(self.fallback), label.lower(), "membudget_rows"),
        ):
            if (rows := known.get(key)) is not None:
                yield rows, source


def _by_lower(rows: Mapping[str, int]) -> Mapping[str, int]:
    return {label.lower(): count for label, count in rows.items()}
