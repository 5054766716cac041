"""Values of rows as JSON has them, and the kinds of them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pytest_membudget.texts import TextEnum


@dataclass(frozen=True)
class Range:
    """A range of PostgreSQL's; None is no end."""

    lower: Any
    upper: Any
    bounds: str


class Kind(TextEnum):
    """What the values of a column are.

    All but documents are written as a text, a number or a boolean; binary ones in base64.
    """

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    UUID = "uuid"
    BINARY = "binary"
    DOCUMENT = "document"


_KINDS: tuple[tuple[Any, Kind], ...] = (
    (bool, Kind.BOOLEAN),
    (int | float | Decimal, Kind.NUMBER),
    (dt.datetime, Kind.MOMENT),
    (dt.date, Kind.DATE),
    (dt.time, Kind.TIME),
    (dt.timedelta, Kind.DURATION),
    (UUID, Kind.UUID),
    (bytes, Kind.BINARY),
    (dict | list | Range, Kind.DOCUMENT),
)


def kind_of(values: Iterable[Any]) -> Kind:
    """That of the first value which is not None."""
    first = next((value for value in values if value is not None), None)
    return next((kind for types, kind in _KINDS if isinstance(first, types)), Kind.TEXT)


def plain(value: Any) -> Any:
    """What a database's driver returned, with few types: ranges are documents."""
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if hasattr(value, "lower_inc"):
        bounds = getattr(value, "bounds", None) or getattr(value, "_bounds", None) or "[)"
        return Range(plain(value.lower), plain(value.upper), bounds)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    known = (str, int, float, Decimal, dt.date, dt.time, dt.timedelta, UUID, bytes)
    if value is None or (isinstance(value, known) and not isinstance(value, Enum)):
        return value
    return str(value)


def written(value: Any) -> Any:
    """A plain value as JSON has it."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        rest = dt.datetime.min + (value - dt.timedelta(days=value.days))
        return f"{value.days} {rest:%H:%M:%S.%f}"
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [written(one) for one in value]
    if isinstance(value, Range):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    return value


def read_document(text: str) -> Any:
    """The object or list that a text is the JSON of; None for any other text."""
    if text[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return None


def write_document(document: Any, like: str) -> str:
    """As JSON, with the white space and the escapes of a text of the same document."""
    compact = '": ' not in like
    return json.dumps(
        document,
        ensure_ascii=like.isascii(),
        separators=(",", ":") if compact else (", ", ": "),
        indent=2 if "\n" in like else None,
    )
