"""What a migration that broke on generated rows expected of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pytest_membudget.texts import TextEnum

MOST_LESSONS = 3
FILE_NAME = "membudget"
"""What the files are called, without an ending, that a FILE names."""


class Expected(TextEnum):
    """What generated rows have to hold; each member is how a sentence says so."""

    NUMBER = "a number"
    DATE = "a date"
    UUID = "a UUID"
    JSON = "a JSON document"
    KEYS = "a document with the keys"
    VALUES = "one of the values that the code knows"
    FILE = "the name of a file that is there"
    BELOW = "numbers whose products fit"
    KEY = "the key of a row"
    ROW = "a row with a value of the code"
    SINGLE = "a single row"
    NONE = "no rows"


@dataclass(frozen=True)
class Lesson:
    """``columns`` by table that hold what is ``expected``.

    ``asked`` are the formats of a DATE, the paths of KEYS with ``"*"`` for each item of an array,
    the VALUES, the bound that all numbers are BELOW, the label of the model of a KEY, the values of
    the columns of a ROW, or the label of the model that has a SINGLE row, or NONE.
    """

    expected: Expected
    columns: list[tuple[str, str]]
    asked: list[Any]

    @property
    def finds_one(self) -> bool:
        """Whether the code goes on with one row of a table."""
        return self.expected in (Expected.ROW, Expected.SINGLE)


@dataclass(frozen=True)
class Breakage:
    """The lesson of an error, of which the columns are those that hold ``value``, where it is set.

    ``value`` is a text or a document as the code had it; ``within`` is the path in it of the part
    that lacked a key.  ``place`` is the file and the line of the migration's code.
    """

    lesson: Lesson
    place: str
    value: Any = None
    within: list[Any] | None = None
    label: str = ""

    def parts(self) -> list[tuple[Any, Lesson]]:
        """The value, and what its parts on the way to the key would teach if they were stored."""
        found, value, lesson = [], self.value, self.lesson
        for depth, key in enumerate([*(self.within or []), None]):
            asked = [path[depth:] if self.within else path for path in lesson.asked]
            found.append((value, replace(lesson, asked=asked)))
            value = None if key is None else value[key]
        return found
