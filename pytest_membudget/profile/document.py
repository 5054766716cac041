"""``membudget.json`` read: what production's catalogue knows of its tables.

None means that the catalogue does not know.  Nothing here imports Django: pytest's own process
reads the profile too.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json, read_bytes
from pytest_membudget.profile.shares import HASH_DIGITS
from pytest_membudget.texts import shown
from pytest_membudget.units import MOST

FORMAT = 1
DEFAULT_PATH = "membudget.json"

# PostgreSQL's documentation, appendix "PostgreSQL Limits": a field holds 1 GB at most.
_WIDEST = 1024**3
# The same page has 32 TB as the most of one relation, and a table may have thousands of partitions.
_LARGEST = 1024**5

Count = Annotated[int, Meta(ge=0, le=MOST)]
Size = Annotated[int, Meta(ge=0, le=_LARGEST)]
Part = Annotated[float, Meta(ge=0, le=1)]
Hash = Annotated[str, Meta(pattern=f"^[0-9a-f]{{{HASH_DIGITS}}}$")]
# By how much shares of one column, which are rounded, may exceed all rows.
_ROUNDED = 0.01


class ColumnProfile(Struct, frozen=True):
    """One column.

    ``type`` is the database's own name of it; ``width`` the average bytes of a value that is not
    NULL, as the database holds it and without its header; ``nulls`` the share of NULLs, 0 to 1;
    ``distinct`` how many different values there are, always the catalogue's estimate: it may be of
    another day than the rows, and exceed them.  ``shares`` are the shares of all rows that have
    certain common values, by the hashes of these, see shares.py.
    """

    type: str
    width: Annotated[float, Meta(ge=0, le=_WIDEST)] | None = None
    nulls: Part | None = None
    distinct: Count | None = None
    shares: dict[Hash, Part] | None = None

    def __post_init__(self) -> None:
        if self.shares and sum(self.shares.values()) + (self.nulls or 0) > 1 + _ROUNDED:
            raise ValueError("shares and nulls are more than all rows")


class TableProfile(Struct, frozen=True):
    """One table.  ``rows`` is None where it was never analysed.

    ``toast_bytes`` is what PostgreSQL keeps outside of the rows, see
    :func:`pytest_membudget.profile.shape.column_stats`; ``row_bytes`` is MySQL's average row.
    """

    rows: Count | None = None
    columns: dict[str, ColumnProfile] = {}
    toast_bytes: Size | None = None
    row_bytes: Size | None = None


class Database(Struct, frozen=True):
    """``vendor`` is Django's name of it: MariaDB is ``"mysql"``."""

    vendor: str
    version: str


class Profile(Struct, frozen=True):
    """What one database said on the day ``taken``; ``exact`` where its tables were scanned.

    ``tables`` is keyed by the name in the database, ``"shop_order"``.
    """

    database: Database
    taken: date
    exact: bool
    tables: dict[str, TableProfile]

    @property
    def never_analysed(self) -> list[str]:
        """The tables of which the database has no row count."""
        return [name for name, table in self.tables.items() if table.rows is None]


def read_profile(path: str | Path) -> Profile:
    """Read a file that ``membudget profile`` wrote.  Raises BudgetError, which names the file."""
    return parse_profile(read_bytes(path, "membudget profile"), str(path))


def parse_profile(text: str | bytes, source: str) -> Profile:
    """Read a profile's text; ``source`` is what an error calls it."""
    document = parse_json(text, source)
    if not isinstance(document, dict) or "membudget_profile" not in document:
        raise BudgetError(f"{source} is not a profile; create one with `membudget profile`")
    found = document["membudget_profile"]
    if found != FORMAT:
        raise BudgetError(
            f"{source} has format {shown(found)}, but this version reads format {FORMAT}"
        )
    return convert(document, Profile, source)
