"""JSON documents, nested as an application's are."""

from __future__ import annotations

import json
from collections.abc import Iterator
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

_STOCK = 400
_SMALL, _NESTED = 90, 200
"""Bytes from which on a document has room for an array of objects, and for objects in those."""


@register(models.JSONField)
class Json(FieldKind):
    @property
    def compression(self) -> float:  # type: ignore[override]
        return self.dialect.json_ratio

    def plausible(self, rng: Random) -> dict[str, Any]:
        return {
            "id": rng.randint(1, 1_000_000),
            "name": shaped(SHAPES["name"], rng),
            "active": rng.random() < 0.5,
            "score": round(rng.uniform(0, 100), 2),
            "tags": rng.sample(WORDS, 3),
            "address": {name: shaped(SHAPES[name], rng) for name in ("street", "city", "zip")},
            "note": words(80, rng),
            "parent": None,
        }

    def numbering(self) -> Numbering:
        return Numbering(HUGE, lambda n: {"id": n, "name": f"number {n}"})

    def sized(self, rng: Random) -> SizedValues:
        documents = _Documents(rng)
        return SizedValues(lambda size, _: documents.make(size), small=30)


class JsonText(Text):
    """Texts that hold a JSON document, where code reads them as such."""

    def plausible(self, rng: Random) -> str:
        return json.dumps(_Documents(rng, 4).make(min(self.limit or _NESTED, _NESTED)))

    def numbering(self) -> Numbering:
        return Numbering(HUGE, lambda n: json.dumps({"id": n}))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        return iter(())

    def sized(self, rng: Random) -> SizedValues:
        documents, most = _Documents(rng), self.limit or float("inf")
        make = documents.make
        return SizedValues(lambda size, _: json.dumps(make(size)), least=2, most=most, small=30)

    def variation(self, width: float | None) -> None:
        """What SQL would add to a document leaves none."""

    def ending(self, place: int, width: float) -> str:
        return ""


class _Documents:
    """Makes JSON documents out of a stock of small objects, so that it takes no time."""

    def __init__(self, rng: Random, stock: int = _STOCK) -> None:
        self._rng = rng
        self._lines = [(line, _size(line)) for line in (self._line() for _ in range(stock))]
        self._labels = [(one, _size(one)) for one in (self._label() for _ in range(stock))]

    def make(self, size: int) -> dict[str, Any]:
        """A document of ``size`` bytes as text, which Django writes with spaces; {} if too few."""
        rng = self._rng
        if size < _size({"note": ""}):
            return {}
        document: dict[str, Any] = {}
        if size >= _SMALL:
            document = {"id": rng.randint(100_000, 999_999), "labels": []}
        if size >= _NESTED:
            document |= {"status": rng.choice(WORDS), "paid": rng.random() < 0.5, "lines": []}
        document["note"] = ""
        room = size - _size(document)
        for name, stock in (("lines", self._lines), ("labels", self._labels)):
            if name in document:
                document[name], room = self._filled(stock, room)
        document["note"] = words(size - _size(document), rng)
        return document

    def _filled(self, stock: list[tuple[Any, int]], room: int) -> tuple[list[Any], int]:
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


def _size(value: Any) -> int:
    return len(json.dumps(value))
