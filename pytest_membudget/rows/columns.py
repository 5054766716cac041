"""What is masked of the values of one column, and what stays in clear."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from pytest_membudget.rows.clear import (
    clear_keys,
    clear_values,
    counted,
    is_of_birth,
    is_personal,
)
from pytest_membudget.rows.masking import Masks
from pytest_membudget.rows.values import Range, read_document, write_document

# Where values of a document are: at a key that stays, or at one that does not.
_MASKED_KEY = "*"


@dataclass(frozen=True)
class Clear:
    """What stays of a column: ``keys`` of its documents, and ``values`` by key, or by ``""``."""

    keys: frozenset[str] = frozenset()
    values: Mapping[str, frozenset[Hashable]] = field(default_factory=dict)


def clear_of(name: str, values: Sequence[Any], choices: Collection[Any] = ()) -> Clear:
    """What may stay of the column ``name`` with these values, in the order of the rows' keys."""
    documents = [_document(value) for value in values]
    keys = clear_keys(_counted((set(_keys(one)) for one in documents), len(values)))
    scalars = [
        set(_scalars(value if document is None else document, "", keys))
        for value, document in zip(values, documents, strict=True)
    ]
    found = {}
    for where in {where for one in scalars for where, _ in one} - {_MASKED_KEY}:
        each = [{value for place, value in one if place == where} for one in scalars]
        named = () if where else choices
        if not (where and is_personal(name)):
            counts = _counted(each, len(values))
            found[where] = clear_values(counts, where or name, named, sum(map(len, each)))
    return Clear(keys, {where: its for where, its in found.items() if its})


def _counted(each: Iterable[Collection[Any]], rows: int) -> Counter[Any]:
    places: dict[Any, list[int]] = {}
    for place, its in enumerate(each):
        for one in its:
            places.setdefault(one, []).append(place)
    return counted(places, rows)


class ColumnMask:
    """Masks the values of the column ``name``, but for what is ``clear``."""

    def __init__(self, name: str, masks: Masks, clear: Clear) -> None:
        self._masks = masks
        self._clear = clear
        self._birth = is_of_birth(name)

    def mask(self, value: Any) -> Any:
        if isinstance(value, str) and (document := read_document(value)) is not None:
            return write_document(self._masked(document, ""), like=value)
        return self._masked(value, "")

    def _masked(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            return {
                self._key(key): self._masked(one, _place(where, key, self._clear.keys))
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._masked(one, where) for one in value]
        if isinstance(value, Range):
            ends = [self._masked(value.lower, where), self._masked(value.upper, where)]
            lower, upper = ends if None in ends else sorted(ends)
            return Range(lower, upper, value.bounds)
        if isinstance(value, Hashable) and value in self._clear.values.get(where, ()):
            return value
        return self._scalar(value)

    def _key(self, key: str) -> str:
        return key if key in self._clear.keys else self._masks.text(key)

    def _scalar(self, value: Any) -> Any:
        masks = self._masks
        if self._birth and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return masks.birthday(value)
        known: tuple[tuple[Any, Any], ...] = (
            (str, masks.text),
            (int, masks.number),
            (float, masks.float),
            (Decimal, masks.decimal),
            (dt.datetime, masks.moment),
            (dt.date, masks.date),
            (dt.time, masks.clock),
            (dt.timedelta, masks.duration),
            (UUID, masks.uuid),
            (bytes, masks.binary),
        )
        mask = next((mask for kind, mask in known if isinstance(value, kind)), masks.text)
        return mask(value)


def _document(value: Any) -> Any:
    if isinstance(value, str):
        return read_document(value)
    return value if isinstance(value, dict | list) else None


def _keys(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from _keys(value)
    elif isinstance(document, list):
        for one in document:
            yield from _keys(one)


def _scalars(value: Any, where: str, keys: Collection[str]) -> Iterator[tuple[str, Hashable]]:
    """The values that an enumeration can have, each with the key that it is at."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _scalars(one, _place(where, key, keys), keys)
    elif isinstance(value, list):
        for one in value:
            yield from _scalars(one, where, keys)
    elif isinstance(value, str | int | float) and value != "" and not isinstance(value, bool):
        yield where, value


def _place(where: str, key: str, keys: Collection[str]) -> str:
    """Below a key that is masked or personal all is masked."""
    hidden = where == _MASKED_KEY or key not in keys or is_personal(key)
    return _MASKED_KEY if hidden else key
