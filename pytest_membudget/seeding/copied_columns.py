"""Columns of rows that are copies of prototypes, where a copy does not hold the same value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from pytest_membudget.seeding.columns import Column, TemplateRows
from pytest_membudget.seeding.dialects.base import Field
from pytest_membudget.seeding.fields import FieldKind
from pytest_membudget.seeding.prototypes import Prototypes
from pytest_membudget.seeding.references import ParentKeys, Reference
from pytest_membudget.seeding.staging_tables import StagingTables, lookup, new_name

_DIGITS = 9
_LARGE = 10**8
"""More than the rows of a table, so that no copy has such a number."""
# A character that no text of a row has, and that each database stores in any character set.
_MARK = "\x1f"
_NUMBER = re.compile(r"\d+")
_BEFORE = re.compile(r"@|\.\w+$|$")


@dataclass(frozen=True, eq=False)
class CopiedText(Column):
    """The prototype's text with the number of the row in it, so that each is another one.

    The number replaces the last one of the text; else it stands before an ``@``, the ending of a
    file's name, or at the end.  Numbers up to ``after`` are those of prototypes.
    """

    after: int = 0

    def select(self, i: str, template: TemplateRows) -> str:
        number = self.kind.dialect.digits.format(f"({i} + {self.after})", _DIGITS)
        return self.computed(f"replace({super().select(i, template)}, '{_MARK}', {number})")

    def carried(self, values: list[Any]) -> list[Any]:
        return [value if value is None else _marked(value) for value in values]


def copied_text(field: Field, kind: FieldKind, values: Sequence[Any]) -> CopiedText | None:
    """None where a text would be too long for the column, or is none."""
    if any(not isinstance(value, str) for value in values if value is not None):
        return None
    most = getattr(field, "max_length", None) or float("inf")
    texts = [value for value in values if value is not None]
    if any(len(_marked(text)) - 1 + _DIGITS > most for text in texts):
        return None
    numbers = [int(one) for text in texts for one in _NUMBER.findall(text)[-1:]]
    after = max((one for one in numbers if one < _LARGE), default=0)
    return CopiedText(field, kind, after=after)


def _marked(text: str) -> str:
    numbers = list(_NUMBER.finditer(text))
    if numbers:
        start, end = numbers[-1].span()
    else:
        found = _BEFORE.search(text)
        start = end = found.start() if found else len(text)
    return text[:start] + _MARK + text[end:]


@dataclass(frozen=True, eq=False, kw_only=True)
class CopiedReference(Reference):
    """It refers to the copy of the same round as the row itself, of what the prototype refers to.

    ``referred`` are the prototypes of the parent, and ``target`` is what identifies them.
    """

    referred: Prototypes
    target: str
    in_template: bool = True
    _there: str = attribute(default_factory=new_name)

    def carried(self, values: list[Any]) -> list[Any]:
        return self.referred.numbers(self.target, values) or []

    def demand(self, want: int) -> None:
        """The parent has rows."""

    def select(self, i: str, template: TemplateRows) -> str:
        size, more = self.referred.size, self.sequence.parent.want
        mark = f"t.{self.name}"
        of_round = self.kind.dialect.quotient.format(f"({i} - 1)", template.size)
        number = f"((({of_round} + 1) * {size} + {mark} - 1) % {size + more} + 1)"
        value = there = lookup(self._there, self.kind.dialect.column(self.sequence.target), number)
        if more:
            key = self.sequence.at(f"({number} - {size})")
            value = f"CASE WHEN {number} <= {size} THEN {there} ELSE {key} END"
        return self.computed(f"CASE WHEN {mark} IS NOT NULL THEN {value} END")

    def prepare(self, staging: StagingTables, count: int) -> None:
        target = self.sequence.target
        staging.create(self._there, [target])
        staging.load(self._there, [target], [(v,) for v in self.referred.values[self.target]])


def copied_column(
    field: Field, kind: FieldKind, keys: ParentKeys | None, values: Sequence[Any], unique: bool
) -> Column | None:
    """The column of a prototype's ``values``; None where they can't be copied as they are."""
    if unique:
        return None if keys else copied_text(field, kind, values)
    if keys and (referred := keys.parent.prototypes):
        target = keys.target.name
        if referred.numbers(target, list(values)) is not None:
            return CopiedReference(field, kind, sequence=keys, referred=referred, target=target)
    return Column(field, kind)
