"""Text of ordinary words, and JSON documents nested as an application's are, of a given size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from faker.providers.lorem.en_US import Provider

if TYPE_CHECKING:
    from random import Random

_WORDS = [word.lower() for word in Provider.word_list if len(word) >= 3]
_STOCK = 400
_SMALL, _NESTED = 90, 200
"""Bytes from which on a document has room for an array of objects, and for objects in those."""


def words(size: int, dice: Random, between: str = " ") -> str:
    """So many characters of words; the last one is cut off."""
    # No word is shorter than three letters.
    text = between.join(dice.choices(_WORDS, k=size // 4 + 1))[:size]
    return f"{text[:-1]}s" if text.endswith(between) else text


class Documents:
    """Makes JSON documents out of a stock of small objects, so that it takes no time."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._lines = [(line, _size(line)) for line in (self._line() for _ in range(_STOCK))]
        self._labels = [(one, _size(one)) for one in (self._label() for _ in range(_STOCK))]

    def make(self, size: int) -> dict[str, Any]:
        """A document of ``size`` bytes as text, which Django writes with spaces; {} if too few."""
        dice = self._dice
        if size < _size({"note": ""}):
            return {}
        document: dict[str, Any] = {}
        stocks = {}
        if size >= _SMALL:
            document["id"] = dice.randint(100_000, 999_999)
            stocks["labels"] = self._labels
        if size >= _NESTED:
            document |= {"status": dice.choice(_WORDS), "paid": dice.random() < 0.5}
            stocks = {"lines": self._lines, **stocks}
        document |= {name: [] for name in stocks} | {"note": ""}
        room = size - _size(document)
        for name, stock in stocks.items():
            document[name], room = self._filled(stock, room)
        document["note"] = words(size - _size(document), dice)
        return document

    def _filled(self, stock: list[tuple[Any, int]], room: int) -> tuple[list[Any], int]:
        """As many objects as there is room for, and the room that is left."""
        found: list[Any] = []
        while True:
            item, size = self._dice.choice(stock)
            if size + 2 > room:
                return found, room
            found.append(item)
            room -= size + 2

    def _line(self) -> dict[str, Any]:
        dice = self._dice
        return {
            "id": dice.randint(1, 1_000_000),
            "product": {
                "sku": words(dice.randint(8, 16), dice, "-"),
                "price": round(dice.uniform(1, 500), 2),
                "tags": dice.choices(_WORDS, k=dice.randint(1, 4)),
            },
            "quantity": dice.randint(1, 20),
            "shipped": dice.random() < 0.5,
            "discount": None,
            "labels": [self._label() for _ in range(dice.randint(0, 2))],
        }

    def _label(self) -> dict[str, Any]:
        return {"key": self._dice.choice(_WORDS), "value": self._dice.randint(1, 9999)}


def _size(value: Any) -> int:
    return len(json.dumps(value))
