"""Learn from generated rows that broke a migration what it expects of them."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_effects import few_rows
from pytest_membudget.database.target import PENDING
from pytest_membudget.judge import lessons
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.sample import Outcome, Run, Sample
from pytest_membudget.sample.lesson import MOST_LESSONS, Breakage, Expected, Lesson

# Errors that other rows may not raise.
_OF_ROWS = (
    "KeyError",
    "ValueError",
    "TypeError",
    "IndexError",
    "AttributeError",
    "InvalidOperation",
    "JSONDecodeError",
    "ValidationError",
    "DataError",
    "IntegrityError",
    "MultipleObjectsReturned",
    "DoesNotExist",
    "AssertionError",
    "FileNotFoundError",
    "ZeroDivisionError",
    "OverflowError",
    "RuntimeError",
    "Exception",
)
# What SQLite and PostgreSQL say of a column that is added to a table with a row, or with two.
_ADDS = re.compile(r"in database_forwards\n\s+schema_editor\.add_field\(")
_ADDED = {
    "rows, which have no value": "NOT NULL constraint failed|contains null values",
    "more than one row, which have the same value": "UNIQUE constraint failed|unique index",
}
# How columns are called that hold keys.
_OF_KEYS = re.compile(r"(id|pk|key|ref|number|no)$", re.IGNORECASE)


def learned(
    plan: CheckPlan, seeded: SeededDatabase, sample: Sample
) -> tuple[CheckPlan | None, Sample]:
    """The plan with what a run teaches, None where that is nothing new; and the sample, whose
    failure says what the row held.
    """
    done = sample.run
    if done.outcome == Outcome.RAISED and _took_the_name(seeded, done):
        return plan, sample
    if done.outcome != Outcome.RAISED or plan.budget.seed is not None or not sample.rows:
        return None, sample
    found = done.breakage and _located(plan, seeded, done, done.breakage)
    if found:
        labels = {table: label for label, table in seeded.tables.items()}
        text = lessons.told(found, labels, sample.copied)
    elif fails_with := _fails_with(done):
        text = lessons.certain(fails_with)
    elif done.failure.startswith(_OF_ROWS):
        labels = {table: label for label, table in seeded.tables.items()}
        single = done.fetched.keys() - done.loads
        found_by_it = [labels[table] for table in sorted(single & labels.keys())]
        refuses = found_by_it and _raises_by_itself(plan, done)
        text = lessons.refused(found_by_it) if refuses else lessons.unknown(sample.rows)
    else:
        return None, sample
    sample = replace(sample, run=replace(done, failure=f"{done.failure.rstrip('.')}; {text}"))
    if not found or found.lesson in plan.lessons or len(plan.lessons) == MOST_LESSONS:
        return None, sample
    lesson, rows = found.lesson, _rows(plan, seeded, found.lesson)
    unique = any([name] in seeded.uniques.get(table, ()) for table, name in lesson.columns)
    if unique and lesson.expected == Expected.VALUES:
        return None, sample
    return plan.with_lesson(lesson, rows), sample


def _fails_with(done: Run) -> str | None:
    """The rows of a table to which it can't add a column, whatever they hold; None where it can."""
    if not _ADDS.search(done.details):
        return None
    return next((rows for rows, said in _ADDED.items() if re.search(said, done.failure)), None)


def _raises_by_itself(plan: CheckPlan, done: Run) -> bool:
    """Whether the innermost line of the traceback is a ``raise`` of the migration's own."""
    frame = done.details.rpartition('  File "')[2]
    file, _, source = frame.partition('"')
    return file in plan.files and bool(re.search(r"\n\s+(.*: )?raise\b", source))


def _took_the_name(seeded: SeededDatabase, done: Run) -> bool:
    """Whether the project, as it was loaded, had kept a name that is no database's: the next run is
    then of a process of its own, which has the name of one from the beginning.
    """
    workers = seeded.workers
    if workers is None or not workers.copies or PENDING not in f"{done.failure}{done.details}":
        return False
    workers.stop_copying()
    return True


def _rows(plan: CheckPlan, seeded: SeededDatabase, lesson: Lesson) -> dict[str, int]:
    """Row counts of the models that it is about: a single row, or a few where there are none."""
    if lesson.expected == Expected.NONE:
        return {lesson.asked[0]: 0}
    if lesson.expected == Expected.SINGLE:
        label = lesson.asked[0]
        before = (one.asked[0] for one in plan.lessons if one.expected == Expected.SINGLE)
        # Where one row is too many, an earlier migration has made one.
        return {label: 0 if label in before else 1}
    if lesson.expected != Expected.ROW:
        return {}
    models = seeded.present().models
    empty = {table for table, _ in lesson.columns if table in models} - {*seeded.tables.values()}
    return {
        models[table].label: few_rows(plan.production.rows(table, models[table].label))
        for table in sorted(empty)
    }


def _located(
    plan: CheckPlan, seeded: SeededDatabase, done: Run, found: Breakage
) -> Breakage | None:
    """With the columns that it is about; None where these are not known."""
    lesson = found.lesson
    if lesson.expected == Expected.BELOW:
        # Of two factors each is below the root of what fits, and of more a smaller one.
        before = sum(one.expected == Expected.BELOW for one in plan.lessons)
        bound = max(2, int(lesson.asked[0] ** (1 / (before + 2))))
        return replace(found, lesson=replace(lesson, asked=[bound]))
    if lesson.expected == Expected.SINGLE:
        [label], [(table, _)] = lesson.asked, lesson.columns
        rows = plan.production.named_rows(table, label)
        if plan.gated is None:
            rows = plan.budget.rows.get(label, rows)
        return replace(found, lesson=replace(lesson, asked=[label, rows]))
    if lesson.expected == Expected.NONE:
        [(table, _)] = lesson.columns
        model = seeded.present().models.get(table)
        others = seeded.tables.keys() - ({model.label} if model else ())
        # Links are seeded with the models that they link.
        is_seeded = model and (model.through or model.label in seeded.tables)
        # Rows that it loads count, and something has to be left to measure.
        if model is None or not (is_seeded and others) or table in done.loads:
            return None
        return replace(found, lesson=replace(lesson, asked=[model.label]))
    if found.label:
        # A column of keys without a foreign key; not a number that happens to be the same.
        columns = [
            (table, name)
            for table, name in seeded.columns_holding(found.value)
            if table in done.named and _OF_KEYS.search(name)
        ]
        if columns:
            return replace(found, lesson=Lesson(Expected.KEY, columns, [found.label]))
    if lesson.columns:
        return replace(found, value=None)
    for value, part in found.parts():
        columns = [one for one in seeded.columns_holding(value) if one[0] in done.named]
        if columns:
            return replace(found, value=value, lesson=replace(part, columns=columns))
    return None
