"""What a profile lacks for the project's models, and whether it is too old."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from pytest_membudget.database.engine import engine_of
from pytest_membudget.profile.document import Profile

STALE_DAYS = 90


@dataclass(frozen=True)
class ModelTable:
    """The table of a model; ``model`` is its label, ``"shop.Order"``.

    ``added`` has the migrations that add its columns, ``"shop.0002_total"``, and by ``""`` the one
    that adds the table, where they are known.
    """

    model: str
    columns: tuple[str, ...]
    added: Mapping[str, str] = field(default_factory=dict)

    def is_added_by(self, column: str) -> str | None:
        return self.added.get(column) or self.added.get("")


@dataclass(frozen=True)
class Answer:
    """``problems`` are what a check of a migration would miss; ``notes`` are good to know."""

    summary: str
    problems: list[str]
    notes: list[str]


def check_profile(
    profile: Profile,
    models: Mapping[str, ModelTable],
    today: date,
    before: Mapping[str, Collection[str]] | None = None,
) -> Answer:
    """Hold ``profile`` against ``models``, which are keyed by the name of their table.

    ``before`` are the migrations that are applied where another one is, and itself.  What adds a
    table or a column that the profile has was applied in production when it was taken, and what is
    before it; what others add is no fault of the profile.
    """
    age = (today - profile.taken).days
    applied = _applied(profile, models, before or {})
    missing = list(_missing(profile, models))
    problems = [
        f"missing: {text}" for text, migration in missing if not migration or migration in applied
    ]
    notes = list(_notes(profile, models))
    for text, migration in missing:
        if migration and migration not in applied:
            notes.append(f"added by {migration}, which was not applied then: {text}")
    problems += _never_analysed(profile, models)
    if age > STALE_DAYS:
        stale = f"stale: it is {age} days old, more than {STALE_DAYS}; take a new profile"
        problems.insert(0, stale)
    database = profile.database
    how = "scanned" if profile.exact else "from the catalogue"
    return Answer(
        f"{_count(len(profile.tables), 'table')} of {database.vendor} {database.version}, {how}, "
        f"taken on {profile.taken} ({_count(age, 'day')} ago)",
        problems,
        notes,
    )


def _applied(
    profile: Profile, models: Mapping[str, ModelTable], before: Mapping[str, Collection[str]]
) -> set[str]:
    """The migrations that production had applied when the profile was taken."""
    found = set[str]()
    for name, model in models.items():
        if (table := profile.tables.get(name)) is not None:
            there = {"", *table.columns} & model.added.keys()
            found |= {model.added[column] for column in there}
    return found.union(*(before.get(migration, ()) for migration in found))


def _missing(
    profile: Profile, models: Mapping[str, ModelTable]
) -> Iterator[tuple[str, str | None]]:
    """What the profile lacks, with the migration that adds it."""
    for name, model in _sorted(models):
        table = profile.tables.get(name)
        if table is None:
            yield f"{model.model} (table {name})", model.is_added_by("")
            continue
        by_migration: dict[str | None, list[str]] = {}
        for column in model.columns:
            if column not in table.columns:
                by_migration.setdefault(model.is_added_by(column), []).append(column)
        for migration, columns in by_migration.items():
            yield f"{_count(len(columns), 'column')} of {model.model}: {_list(columns)}", migration


def _never_analysed(profile: Profile, models: Mapping[str, ModelTable]) -> Iterator[str]:
    for name, model in _sorted(models):
        if (table := profile.tables.get(name)) is not None and table.rows is None:
            yield f"never analysed: {model.model} (table {name}); its row count is unknown"


def _sorted(models: Mapping[str, ModelTable]) -> list[tuple[str, ModelTable]]:
    return sorted(models.items(), key=lambda item: item[1].model)


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
