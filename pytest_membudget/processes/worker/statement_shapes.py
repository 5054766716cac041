"""Statements of one text, counted by their values as long as these are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.sql.normalize import UNKNOWN, Form

_MOST_ENTRIES = 8
# A position with so many values among these entries has another one for each row.
_MANY_VALUES = 5
_LONGEST_VALUE = 200


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

    def find(self, values: Mapping[int, Any]) -> StatementCount:
        """The entry of these values; positions with values that can't be kept are ignored."""
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


class Sent:
    """A text that has been sent, and where the values of its shape are found."""

    __slots__ = ("_form", "_keys", "_literals", "_live", "shape")

    def __init__(self, form: Form, shape: StatementShape) -> None:
        self.shape = shape
        self._form = form
        self._live: tuple[int, ...] | None = None
        self._literals: list[Any] = []
        self._keys: list[Any] = []

    def entry(self, parameters: Any) -> StatementCount:
        """The entry of an execution; this is called for each, so it has to be fast."""
        shape = self.shape
        if shape.merged is not None:
            return shape.merged
        if self._live is not shape.live:
            self._prepare(shape.live)
        try:
            keys = [parameters[key] for key in self._keys]
            return shape.by_values[(*self._literals, *keys)]
        except (KeyError, IndexError, TypeError):
            return shape.find(self._form.values(parameters))

    def _prepare(self, live: tuple[int, ...]) -> None:
        literals, parameters = self._form.literals, self._form.parameters
        self._live = live
        self._literals = [literals[at] for at in live if at in literals]
        self._keys = [parameters[at] for at in live if at in parameters]


def _is_plain(value: Any) -> bool:
    """Whether it is known, small enough to be kept, and is not a container."""
    if isinstance(value, str | bytes):
        return len(value) <= _LONGEST_VALUE
    if value is UNKNOWN or isinstance(value, Sequence | Mapping):
        return False
    return type(value).__hash__ is not None
