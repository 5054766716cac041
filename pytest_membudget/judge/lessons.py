"""What was learned from generated rows that broke a migration, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.gap import Gap
from pytest_membudget.sample.lesson import Breakage, Expected, Lesson
from pytest_membudget.texts import shown
from pytest_membudget.units import format_rows

_CURE = "give rows with seed= or `membudget sample`"


def findings(lessons: Sequence[Lesson], sought: Sequence[Lesson]) -> Iterator[Finding]:
    """The findings of what was learned, and of rows that the migration looks for."""
    if sought:
        yield Finding(
            FindingCode.ROWS_LEARNED,
            "the migration does more where it finds a row, so the rows have "
            f"{'; '.join(map(_described, sought))}",
        )
    if lessons:
        yield Finding(
            FindingCode.ROWS_LEARNED,
            "the migration broke on generated rows, so these were generated anew, with "
            f"{'; '.join(map(_described, lessons))}",
        )


def contradictions(lessons: Sequence[Lesson]) -> Iterator[Gap]:
    """Models that were given a single row, and of which production has more."""
    for lesson in lessons:
        if lesson.expected == Expected.SINGLE and (lesson.asked[1] or 1) > 1:
            label, rows = lesson.asked
            yield Gap(
                FindingCode.ROWS_LEARNED,
                f"calls get() without a condition on {label}, which raises with the "
                f"{format_rows(rows)} rows that production has, so it was run with a single one; "
                "correct the row count",
                only_adds=True,
            )


def told(found: Breakage, labels: Mapping[str, str], copied: Collection[str] = ()) -> str:
    """What the row held that it raised on, to be added to the error; ``labels`` are by table, and
    of the ``copied`` ones the rows are masked copies.
    """
    lesson, place = found.lesson, Path(found.place).name
    columns = [f"`{name}` of {labels.get(table, table)}" for table, name in lesson.columns if name]
    if lesson.expected == Expected.BELOW:
        return (
            f"a number of the generated rows, or what {place} made of them, is too large; {_CURE}"
        )
    if lesson.expected == Expected.ROW:
        looked_up = f"the {' and '.join(columns)} that {place} looks up"
        return f"not exactly one generated row has {looked_up}; {_CURE}"
    if lesson.expected == Expected.NONE:
        label = lesson.asked[0]
        return (
            f"{place} inserts a row of {label} where a generated one is; if production has none, a "
            f"row count of 0 decides it: --membudget-rows {label}=0"
        )
    if lesson.expected == Expected.SINGLE:
        return f"{lesson.asked[0]} has several generated rows, and {place} expects one; {_CURE}"
    held = f"{' and '.join(columns)} held {shown(found.value)}" if found.value else columns[0]
    if any(labels.get(table) in copied for table, _ in lesson.columns):
        return f"the row is of the rows file, masked: {held}; {place} {_asked(lesson)}"
    return f"the row was generated: {held}; {place} {_asked(lesson)}; {_CURE}"


def refused(labels: Sequence[str]) -> str:
    """What can be said where the code itself refuses rows that it has found."""
    none = " ".join(f"--membudget-rows {label}=0" for label in labels)
    return (
        f"the code raises this where it finds rows of {', '.join(labels)}, which were generated; "
        f"if production has none, a row count of 0 decides it: {none}"
    )


def certain(rows: str) -> str:
    """What can be said where a column is added that the ``rows`` there are can't have."""
    return (
        f"it fails wherever the table has {rows} in the column that it adds; if production's has "
        "none, a row count of 0 decides it"
    )


def unknown(rows: Mapping[str, int]) -> str:
    """What can be said of any error that may be the rows'."""
    return f"the rows of {', '.join(rows)} were generated, and may lack what it expects; {_CURE}"


def _asked(lesson: Lesson) -> str:
    if lesson.expected == Expected.KEYS:
        return f"asked for {_keys(lesson.asked)}"
    return f"expects {lesson.expected}"


def _described(lesson: Lesson) -> str:
    columns = ", ".join(f"{table}.{name}" for table, name in lesson.columns)
    if lesson.expected == Expected.BELOW:
        return f"numbers below {format_rows(lesson.asked[0])}"
    if lesson.expected in (Expected.SINGLE, Expected.NONE):
        return f"{lesson.expected} of {lesson.asked[0]}"
    if lesson.expected == Expected.KEY:
        return f"the keys of {lesson.asked[0]} in {columns}"
    if lesson.expected == Expected.ROW:
        return f"one row with the {columns} that it looks up"
    if lesson.expected == Expected.FILE:
        return f"{lesson.expected}, of some bytes where production's may have more, in {columns}"
    if lesson.expected == Expected.KEYS:
        return f"{_keys(lesson.asked)} in {columns}"
    return f"{lesson.expected} in {columns}"


def _keys(paths: Sequence[Any]) -> str:
    names = [".".join(path) for path in paths]
    return f"the key{'s' * (len(names) > 1)} {', '.join(map(repr, names))}"
