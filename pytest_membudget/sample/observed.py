"""What a migration does with the rows that it loads, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LoadedRows:
    """``rows`` of a model whose ``columns`` a queryset has loaded at a line of the project.

    ``prefetched``: for the rows of another one.
    """

    file: str
    line: int
    model: str
    columns: list[str]
    rows: int
    prefetched: bool = False


@dataclass(frozen=True)
class BulkCall:
    """A call of bulk_update or bulk_create at a line of the project."""

    file: str
    line: int
    rows: int
    batch_size: int | None


@dataclass(frozen=True)
class ResultSize:
    """``bytes`` that malloc allocated for the result of a line's largest statement."""

    file: str
    line: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class Observed:
    """What the migration does with the rows that it loads.

    ``read`` holds the columns that were read, by model.  ``kept_by_malloc`` is how many bytes had
    been given back to malloc, but not by it to the system, when its heap was the largest.
    """

    querysets: list[LoadedRows] = field(default_factory=list)
    bulk_updates: list[BulkCall] = field(default_factory=list)
    bulk_creates: list[BulkCall] = field(default_factory=list)
    results: list[ResultSize] = field(default_factory=list)
    read: dict[str, list[str]] = field(default_factory=dict)
    kept_by_malloc: int = 0
