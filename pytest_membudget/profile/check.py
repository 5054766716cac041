"""What a profile lacks for the project's models, and whether it is too old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pytest_membudget.database.engine import engine_of
from pytest_membudget.profile.document import Profile

STALE_DAYS = 90


@dataclass(frozen=True)
class ModelTable:
    """The table of a model; ``model`` is its label, ``"shop.Order"``."""

    model: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """``problems`` are what a check of a migration would miss; ``notes`` are good to know."""

    summary: str
    problems: list[str]
    notes: list[str]


def check_profile(profile: Profile, models: Mapping[str, ModelTable], today: date) -> Answer:
    """Hold ``profile`` against ``models``, which are keyed by the name of their table."""
    age = (today - profile.taken).days
    problems = list(_missing(profile, models))
    if age > STALE_DAYS:
        stale = f"stale: it is {age} days old, more than {STALE_DAYS}; take a new profile"
        problems.insert(0, stale)
    database = profile.database
    how = "scanned" if profile.exact else "from the catalogue"
    return Answer(
        f"{_count(len(profile.tables), 'table')} of {database.vendor} {database.version}, {how}, "
        f"taken on {profile.taken} ({_count(age, 'day')} ago)",
        problems,
        list(_notes(profile, models)),
    )


def _missing(profile: Profile, models: Mapping[str, ModelTable]) -> Iterable[str]:
    for name, model in sorted(models.items(), key=lambda item: item[1].model):
        table = profile.tables.get(name)
        if table is None:
            yield f"missing: {model.model} (table {name})"
            continue
        if table.rows is None:
            yield f"never analysed: {model.model} (table {name}); its row count is unknown"
        columns = [column for column in model.columns if column not in table.columns]
        if columns:
            yield f"missing: {_count(len(columns), 'column')} of {model.model}: {_list(columns)}"


def _notes(profile: Profile, models: Mapping[str, ModelTable]) -> Iterable[str]:
    blank = [
        model.model
        for name, model in models.items()
        if (table := profile.tables.get(name)) is not None
        and engine_of(profile.database.vendor).estimates_distinct
        and table.rows
        and all(column.distinct is None for column in table.columns.values())
    ]
    if blank:
        yield (
            f"no statistics for {_list(blank)}: run ANALYZE, or take the profile as a role that "
            "can read the tables"
        )
    others = [name for name in profile.tables if name not in models]
    if others:
        yield f"tables without a model: {_list(others)}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
