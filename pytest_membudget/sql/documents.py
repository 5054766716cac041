"""Parts of JSON documents: the smallest document that a condition on a part of one is met by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

# What is there where a condition only asks for a key; code may read it as a number.
_SOMETHING = "000000000001"
# One step of a path as SQLite writes it: $."a key"[0].name
_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|\[(\d+)\]|\.(\w+)')
NOTHING: Any = object()


@dataclass(frozen=True)
class Part:
    """A part of a document, by the positions of its keys and paths, the outermost first.

    ``listed`` says that the value is the key, or keys, of which it has to have all.
    """

    keys: tuple[int, ...] = ()
    listed: bool = False

    def documents(self, value: Any, by_position: Mapping[int, Any]) -> list[Any]:
        """The smallest document with ``value`` at this place, in a list that is empty where the
        keys are not known.
        """
        if not by_position.keys() >= set(self.keys):
            return []
        keys = [key for place in self.keys for key in _keys(by_position[place])]
        if self.listed:
            each = [[*keys, *_keys(one)] for one in _items(value)]
            return [merged_all(document_of(path) for path in each)] if each else []
        document = document_of(keys, decoded(value))
        return [document] if isinstance(document, dict | list) else []


def document_of(keys: Sequence[str | int], value: Any = NOTHING) -> Any:
    """The document that only has the value at this path."""
    value = _SOMETHING if value is NOTHING else value
    for key in reversed(keys):
        value = [_SOMETHING] * key + [value] if isinstance(key, int) else {key: value}
    return value


def merged(document: Any, part: Any) -> Any:
    """The document with what ``part`` has; what contradicts it is replaced."""
    if isinstance(document, dict) and isinstance(part, dict):
        more = {key: merged(document.get(key), value) for key, value in part.items()}
        return {**document, **more}
    if isinstance(document, list) and isinstance(part, list) and len(document) >= len(part):
        here = [merged(one, other) for one, other in zip(document, part, strict=False)]
        return [*here, *document[len(part) :]]
    return part


def merged_all(parts: Iterable[Any]) -> Any:
    found: Any = None
    for part in parts:
        found = merged(found, part)
    return found


def containing(text: str) -> str:
    """The text, in the smallest document where it is a piece of one: a key, or one with its value.

    A text that is searched for these is read as JSON.
    """
    for end in ("}", f": {json.dumps(_SOMETHING)}}}", f" {json.dumps(_SOMETHING)}}}"):
        with suppress(ValueError):
            if '"' in text:
                json.loads(f"{{{text}{end}")
                return f"{{{text}{end}"
    return text


def decoded(value: Any) -> Any:
    """What a text says as JSON; the text where it is none."""
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _keys(key: Any) -> list[str | int]:
    """The keys that a path is made of: SQLite's, PostgreSQL's array, or a single key."""
    if isinstance(key, list | tuple):
        return [_plain(str(one)) for one in key]
    if isinstance(key, str) and key.startswith("$"):
        return [
            int(step[2]) if step[2] else step[3] or json.loads(f'"{step[1]}"')
            for step in _STEP.finditer(key)
        ]
    if isinstance(key, str) and key.startswith("{") and key.endswith("}"):
        return [_plain(one.strip('" ')) for one in key[1:-1].split(",")]
    return [key] if isinstance(key, str | int) else []


def _plain(key: str) -> str | int:
    """In a path Django writes the places of an array as it does keys."""
    return int(key) if key.isdigit() else key
