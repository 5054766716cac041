"""What the statements of a run ask of the rows that they load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Selection:
    """Statements that load any number of rows of ``table``, ``fetched`` rows as far as is known
    that they are different ones.

    ``equal`` holds the columns that have to have one of certain values, None for NULL, in each of
    these rows.  It is empty where the statements may hand over rows more than once.  ``chosen`` are
    all columns by which they choose rows of the table.
    """

    table: str
    fetched: int
    equal: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()
