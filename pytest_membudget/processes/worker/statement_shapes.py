"""Statements of one text, counted by their values as long as these are few."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.sql.normalize import UNKNOWN, Form

_MOST_ENTRIES = 8
# A position with so many values among these entries has another one for each row.
_MANY_VALUES = 5
_LONGEST_VALUE = 200
# So many values of a list are kept.
_MOST_ITEMS = 8


class StatementShape:
    """The entries of one text; each has its own values at the positions ``live``."""

    __slots__ = ("by_values", "live", "merged", "text")

    def __init__(self, form: Form) -> None:
        self.text = form.text
        self.live = (*form.literals, *form.parameters)
        self.merged: StatementCount | None = None
        self.by_values: dict[tuple[Any, ...], StatementCount] = {}

    def entries(self) -> list[StatementCount]:
        return [self.merged] if self.merged else list(self.by_values.values())

    def entry(self, form: Form, parameters: Any) -> StatementCount:
        """The entry of an execution; this is called for each, so it has to be fast."""
        if self.merged is not None:
            return self.merged
        literals, keys = form.literals, form.parameters
        try:
            held = [literals[at] if at in literals else parameters[keys[at]] for at in self.live]
            return self.by_values[tuple(held)]
        except (KeyError, IndexError, TypeError):
            return self._find(form.values(parameters))

    def _find(self, values: Mapping[int, Any]) -> StatementCount:
        """The entry of these values; positions with values that can't be kept are ignored."""
        values = {at: _kept(value) for at, value in values.items()}
        self._ignore({at for at in self.live if not _is_plain(values[at])})
        if len(self.by_values) >= _MOST_ENTRIES and self._key(values) not in self.by_values:
            self._ignore({at for at in self.live if self._has_many(at)})
        if len(self.by_values) >= _MOST_ENTRIES and self._key(values) not in self.by_values:
            return self.merge()
        held = {at: values[at] for at in self.live}
        return self.by_values.setdefault(self._key(values), StatementCount(self.text, held))

    def merge(self) -> StatementCount:
        """One entry of all, from now on."""
        if self.merged is None:
            merged = StatementCount(self.text, None)
            for entry in self.by_values.values():
                merged.add(entry)
            self.by_values.clear()
            self.merged = merged
        return self.merged

    def _key(self, values: Mapping[int, Any]) -> tuple[Any, ...]:
        return tuple([values[at] for at in self.live])

    def _has_many(self, position: int) -> bool:
        return len({entry.values[position] for entry in self.entries() if entry.values}) >= (
            _MANY_VALUES
        )

    def _ignore(self, positions: set[int]) -> None:
        if not positions:
            return
        self.live = tuple([at for at in self.live if at not in positions])
        before, self.by_values = self.by_values, {}
        for entry in before.values():
            held = {at: (entry.values or {})[at] for at in self.live}
            self.by_values.setdefault(self._key(held), StatementCount(self.text, held)).add(entry)


def _kept(value: Any) -> Any:
    """A value as it is kept: a short list as a tuple, what a driver writes as JSON as a text."""
    if isinstance(value, list) and len(value) <= _MOST_ITEMS:
        return tuple(value)
    if is_json(value):
        document = getattr(value, "obj", getattr(value, "adapted", UNKNOWN))
        with suppress(TypeError, ValueError):
            return json.dumps(document)
    return value


def is_json(value: Any) -> bool:
    """Whether it is what a driver writes as JSON."""
    return type(value).__name__ in ("Json", "Jsonb")


def _is_plain(value: Any) -> bool:
    """Whether it is known, small enough to be kept, and no container but a list of such values."""
    if isinstance(value, tuple):
        return len(value) <= _MOST_ITEMS and all(
            isinstance(one, str | int | float) and _is_plain(one) for one in value
        )
    if isinstance(value, str | bytes):
        return len(value) <= _LONGEST_VALUE
    if value is UNKNOWN or isinstance(value, Sequence | Mapping):
        return False
    return type(value).__hash__ is not None
