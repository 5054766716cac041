"""The file of masked rows: written as one line a row, read and checked.

Nothing here imports Django: pytest's own process reads the file too.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json, read_bytes
from pytest_membudget.profile.document import Database
from pytest_membudget.texts import shown

FORMAT = 1
DEFAULT_PATH = "membudget-rows.json.gz"
_GZIP = b"\x1f\x8b"


class ColumnRows(Struct, frozen=True):
    """What one column holds: values of one ``kind``, see rows/values.py.

    In clear are the ``keys`` of its documents and the ``values``, by the key that they are at or
    by ``""``.
    """

    kind: str
    keys: list[str] = []
    values: dict[str, list[Any]] = {}


class TableRows(Struct, frozen=True):
    """``rows`` hold a value for each of ``columns``, NULL as null.

    ``key`` is the column of the primary key, where it has one of its own; ``references`` are the
    table and the column that a column refers to.
    """

    columns: dict[str, ColumnRows]
    rows: list[list[Any]]
    key: str | None = None
    references: dict[str, tuple[str, str]] = {}


class RowsFile(Struct, frozen=True):
    """The rows that one database had on the day ``taken``, by table."""

    database: Database
    taken: date
    tables: dict[str, TableRows]


def read_rows_file(path: str | Path) -> RowsFile:
    """Read a file that ``membudget sample`` wrote.  Raises BudgetError, which names the file."""
    data = read_bytes(path, "membudget sample")
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise BudgetError(f"{path} can't be unpacked: {error}") from None
    document = parse_json(data, str(path))
    if not isinstance(document, dict) or "membudget_rows" not in document:
        raise BudgetError(f"{path} has no rows; create it with `membudget sample`")
    found = document["membudget_rows"]
    if found != FORMAT:
        raise BudgetError(
            f"{path} has format {shown(found)}, but this version reads format {FORMAT}"
        )
    read = convert(document, RowsFile, str(path))
    for name, table in read.tables.items():
        for number, row in enumerate(table.rows):
            if len(row) != len(table.columns):
                raise BudgetError(
                    f"{path}: tables.{name}.rows[{number}] has {len(row)} values, expected "
                    f"{len(table.columns)}"
                )
    return read


def packed(rows: RowsFile, path: str) -> bytes:
    """The content of the file ``path``, compressed where its name says so."""
    data = _text(rows).encode()
    return gzip.compress(data, mtime=0) if path.endswith(".gz") else data


def _text(rows: RowsFile) -> str:
    head = {
        "membudget_rows": FORMAT,
        "database": structs.asdict(rows.database),
        "taken": rows.taken.isoformat(),
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    tables = (_table(name, table) for name, table in sorted(rows.tables.items()))
    return "{\n" + "\n".join(lines) + '\n"tables": {\n' + ",\n".join(tables) + "\n}}\n"


def _table(name: str, table: TableRows) -> str:
    facts: Mapping[str, Any] = {
        "key": table.key,
        "references": table.references,
        "columns": {name: structs.asdict(one) for name, one in table.columns.items()},
    }
    lines = [f"{json.dumps(fact)}: {json.dumps(value)}," for fact, value in facts.items()]
    rows = ",\n".join(json.dumps(row) for row in table.rows)
    return f"{json.dumps(name)}: {{\n" + "\n".join(lines) + f'\n"rows": [\n{rows}\n]}}'
