"""``membudget.json`` read: what production's catalogue knows of its tables.

None means that the catalogue does not know.  Nothing here imports Django: pytest's own process
reads the profile too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from pytest_membudget.errors import BudgetError

FORMAT = 1
DEFAULT_PATH = "membudget.json"


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    ``type`` is the database's own name of it; ``width`` the average bytes of a value that is not
    NULL, as the database holds it and without its header; ``nulls`` the share of NULLs, 0 to 1;
    ``distinct`` how many different values there are.
    """

    type: str
    width: float | None = None
    nulls: float | None = None
    distinct: int | None = None


@dataclass(frozen=True)
class TableProfile:
    """One table.  ``rows`` is None where it was never analysed.

    ``toast_bytes`` is what PostgreSQL keeps outside of the rows, see
    :func:`pytest_membudget.profile.widths.stored_widths`; ``row_bytes`` is MySQL's average row.
    """

    rows: int | None
    columns: dict[str, ColumnProfile]
    toast_bytes: int | None = None
    row_bytes: int | None = None


@dataclass(frozen=True)
class Profile:
    """What one database said on the day ``taken``; ``exact`` where its tables were scanned.

    ``vendor`` is Django's name of it: MariaDB is ``"mysql"``.  ``tables`` is keyed by the name
    in the database, ``"shop_order"``.
    """

    vendor: str
    version: str
    taken: date
    exact: bool
    tables: dict[str, TableProfile]

    @property
    def never_analysed(self) -> list[str]:
        """The tables of which the database has no row count."""
        return [name for name, table in self.tables.items() if table.rows is None]


def read_profile(path: str | Path) -> Profile:
    """Read a file that ``membudget profile`` wrote.  Raises BudgetError, which names the file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BudgetError(f"{path}: {reason}; `membudget profile` takes one") from None
    except ValueError:
        raise BudgetError(f"{path} is not JSON") from None
    return parse_profile(text, str(path))


def parse_profile(text: str, source: str) -> Profile:
    """Read a profile's text; ``source`` is what an error calls it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BudgetError(f"{source} is not JSON: {error}") from None
    if not isinstance(document, dict) or "membudget_profile" not in document:
        raise BudgetError(f"{source} is no profile: `membudget profile` takes one")
    if document["membudget_profile"] != FORMAT:
        found = document["membudget_profile"]
        raise BudgetError(f"{source} has format {found!r}, and this version reads {FORMAT}")
    whole = _Part(document, source)
    database = whole.part("database")
    return Profile(
        vendor=database.text("vendor"),
        version=database.text("version"),
        taken=whole.date("taken"),
        exact=whole.flag("exact"),
        tables={name: _table(part) for name, part in whole.part("tables").parts()},
    )


def _table(part: _Part) -> TableProfile:
    return TableProfile(
        rows=part.count("rows"),
        columns={name: _column(one) for name, one in part.part("columns", {}).parts()},
        toast_bytes=part.count("toast_bytes"),
        row_bytes=part.count("row_bytes"),
    )


def _column(part: _Part) -> ColumnProfile:
    return ColumnProfile(
        type=part.text("type"),
        width=part.number("width"),
        nulls=part.number("nulls", most=1),
        distinct=part.count("distinct"),
    )


class _Part:
    """An object in the document, which knows where in it it is."""

    def __init__(self, content: object, where: str) -> None:
        if not isinstance(content, dict):
            raise BudgetError(f"{where} is {_shown(content)}, not an object")
        self._content: Mapping[str, Any] = content
        self._where = where

    def part(self, key: str, default: object = None) -> _Part:
        return _Part(self._content.get(key, default), f"{self._where}: {key}")

    def parts(self) -> list[tuple[str, _Part]]:
        return [(key, self.part(key)) for key in self._content]

    def text(self, key: str) -> str:
        value = self._content.get(key)
        return value if isinstance(value, str) else self._refuse(key, "a string")

    def flag(self, key: str) -> bool:
        value = self._content.get(key)
        return value if isinstance(value, bool) else self._refuse(key, "true or false")

    def date(self, key: str) -> date:
        try:
            return date.fromisoformat(self.text(key))
        except ValueError:
            self._refuse(key, 'a day as in "2026-11-21"')

    def count(self, key: str) -> int | None:
        value = self._content.get(key)
        if value is None or (type(value) is int and value >= 0):
            return value
        return self._refuse(key, "a whole number, 0 or more")

    def number(self, key: str, most: float = float("inf")) -> float | None:
        value = self._content.get(key)
        if value is None or (type(value) in (int, float) and 0 <= value <= most):
            return value
        return self._refuse(key, "0 or more" if most == float("inf") else f"from 0 to {most:g}")

    def _refuse(self, key: str, right: str) -> NoReturn:
        raise BudgetError(f"{self._where}: {key} is {_shown(self._content.get(key))}, not {right}")


def _shown(value: object) -> str:
    return "missing" if value is None else json.dumps(value)[:40]
