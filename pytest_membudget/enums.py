"""The bases of the enumerations whose members stand in the JSON."""

from __future__ import annotations

from enum import Enum


class TextEnum(str, Enum):
    """Members equal their text and are formatted as it; ``enum.StrEnum`` needs Python 3.11."""

    def __str__(self) -> str:
        return str.__str__(self)


class OpenTextEnum(TextEnum):
    """One that another version may have more members of: a text that is none becomes one."""

    @classmethod
    def _missing_(cls, value: object) -> OpenTextEnum | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown
