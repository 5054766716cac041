"""JSON documents, nested as an application's are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from django.db import models

from pytest_membudget.seeding.fields.base import (
    HUGE,
    FieldKind,
    SizedValues,
    WantedValues,
    register,
)
from pytest_membudget.seeding.fields.text import Text
from pytest_membudget.seeding.fields.words import SHAPES, WORDS, shaped, words
from pytest_membudget.seeding.sequences import Formula, Numbering
from pytest_membudget.sql.documents import merged

_STOCK = 400
_SMALL, _NESTED = 90, 200
"""Bytes from which on a document has room for an array of objects, and for objects in those."""


@register(models.JSONField)
class Json(FieldKind):
    paths: Sequence[Sequence[str]] = ()
    """Keys that each document has, with ``"*"`` for the items of an array."""
    parts: Sequence[Any] = ()
    """Documents of which each document has what one of them has."""

    @property
    def compression(self) -> float:  # type: ignore[override]
        return self.dialect.json_ratio

    def plausible(self, rng: Random) -> Any:
        document = {
            "id": rng.randint(1, 1_000_000),
            "name": shaped(SHAPES["name"], rng),
            "active": rng.random() < 0.5,
            "score": round(rng.uniform(0, 100), 2),
            "tags": rng.sample(WORDS, 3),
            "address": {name: shaped(SHAPES[name], rng) for name in ("street", "city", "zip")},
            "note": words(80, rng),
            "parent": None,
        }
        return _with_part(_with_keys(document, self.paths, rng), self.parts, rng)

    def numbering(self) -> Numbering:
        return Numbering(HUGE, self._numbered)

    def sized(self, rng: Random) -> SizedValues:
        make = _Documents(rng, self.paths, self.parts).make
        return SizedValues(lambda size, _: make(size), small=0 if self.parts else 30)

    def _numbered(self, n: int) -> Any:
        rng = Random(n)
        document = _with_keys({"id": n, "name": f"number {n}"}, self.paths, rng)
        return _with_part(document, self.parts, rng)


class JsonText(Text):
    """Texts that hold a JSON document, where code reads them as such."""

    paths: Sequence[Sequence[str]] = ()
    parts: Sequence[Any] = ()

    def plausible(self, rng: Random) -> str:
        documents = _Documents(rng, self.paths, self.parts, stock=4)
        return json.dumps(documents.make(min(self.limit or _NESTED, _NESTED)))

    def numbering(self) -> Numbering:
        def at(n: int) -> str:
            document = _with_keys({"id": n}, self.paths, Random(n))
            return json.dumps(_with_part(document, self.parts, Random(n)))

        return Numbering(HUGE, at)

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        return iter(())

    def sized(self, rng: Random) -> SizedValues:
        make = _Documents(rng, self.paths, self.parts).make
        most, small = self.limit or float("inf"), 0 if self.parts else 30
        return SizedValues(
            lambda size, ending: json.dumps(make(size, ending)), least=2, most=most, small=small
        )


class _Documents:
    """Makes JSON documents out of a stock of small objects, so that it takes no time."""

    def __init__(
        self,
        rng: Random,
        paths: Sequence[Sequence[str]] = (),
        parts: Sequence[Any] = (),
        stock: int = _STOCK,
    ) -> None:
        self._rng = rng
        self._paths = paths
        self._parts = parts
        self._extra = _size(_with_keys({}, paths, rng)) if paths else 0
        self._extra += max((_size(part) for part in parts), default=0)
        self._lines = [(line, _size(line)) for line in (self._line() for _ in range(stock))]
        self._labels = [(one, _size(one)) for one in (self._label() for _ in range(stock))]

    def make(self, size: int, ending: str = "") -> Any:
        """A document of ``size`` bytes as text, which Django writes with spaces, or of as few as it
        needs; its note has the ``ending``.
        """
        document = self._filled(size - self._extra, ending)
        return _with_part(_with_keys(document, self._paths, self._rng), self._parts, self._rng)

    def _filled(self, size: int, ending: str) -> dict[str, Any]:
        rng = self._rng
        if size < _size({"note": ending}):
            return {"note": ending} if ending else {}
        document: dict[str, Any] = {}
        if size >= _SMALL:
            document = {"id": rng.randint(100_000, 999_999), "labels": []}
        if size >= _NESTED:
            document |= {"status": rng.choice(WORDS), "paid": rng.random() < 0.5, "lines": []}
        document["note"] = ending
        room = size - _size(document)
        for name, stock in (("lines", self._lines), ("labels", self._labels)):
            if name in document:
                document[name], room = self._chosen(stock, room)
        document["note"] = words(size - _size(document), rng) + ending
        return document

    def _chosen(self, stock: list[tuple[Any, int]], room: int) -> tuple[list[Any], int]:
        """As many objects as there is room for, and the room that is left."""
        found: list[Any] = []
        while True:
            item, size = self._rng.choice(stock)
            if size + 2 > room:
                return found, room
            found.append(item)
            room -= size + 2

    def _line(self) -> dict[str, Any]:
        rng = self._rng
        return {
            "id": rng.randint(1, 1_000_000),
            "product": {
                "sku": words(rng.randint(8, 16), rng, "-"),
                "price": round(rng.uniform(1, 500), 2),
                "tags": rng.choices(WORDS, k=rng.randint(1, 4)),
            },
            "quantity": rng.randint(1, 20),
            "shipped": rng.random() < 0.5,
            "discount": None,
            "labels": [self._label() for _ in range(rng.randint(0, 2))],
        }

    def _label(self) -> dict[str, Any]:
        return {"key": self._rng.choice(WORDS), "value": self._rng.randint(1, 9999)}


def _with_keys(
    document: dict[str, Any], paths: Sequence[Sequence[str]], rng: Random
) -> dict[str, Any]:
    """With a value at each of the paths that it lacks, which can be read as a number as well.

    An array that is asked for is the document's own, so that it fills as much of the document.
    """
    arrays = any("*" in path and path[0] != "lines" for path in paths)
    items = document.pop("lines", None) if arrays else None
    for path in sorted(paths, key=len, reverse=True):
        holders: list[Any] = [document]
        keys = list(path)
        while keys:
            key, *keys = keys
            if key == "*":
                holders = [one for array in holders for one in array if isinstance(one, dict)]
            elif not keys:
                for one in holders:
                    one.setdefault(key, f"{rng.randrange(10**6):012}")
            else:
                made: Any = (items or [{}, {}, {}]) if keys[0] == "*" else {}
                for one in holders:
                    if not isinstance(one.get(key), type(made)):
                        one[key] = made
                holders = [one[key] for one in holders]
    return document


def _with_part(document: Any, parts: Sequence[Any], rng: Random) -> Any:
    return merged(document, rng.choice(parts)) if parts else document


def _size(value: Any) -> int:
    return len(json.dumps(value))
