"""The bodies of ``bodies/`` with the row counts at which their truth is measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent

_ROWS = {
    "readings": {"readings.Reading": 1_600_000},
    "articles": {"articles.Article": 800_000},
    "shop": {"shop.Line": 1_600_000, "shop.Order": 800_000, "shop.Customer": 80_000}
    | {"shop.Product": 1_000},
}
# Where the rows of the app are not the point.
_ROWS_OF = {
    "shop.0015_prefetch_without_lines": {"shop.Order": 200_000, "shop.Line": 0},
    "shop.0016_prefetch_by_pages_and_counts": {"shop.Line": 400_000, "shop.Order": 200_000}
    | {"shop.Customer": 20_000, "shop.Product": 1_000},
}


@dataclass(frozen=True)
class Case:
    migration: str
    rows: dict[str, int]

    @property
    def size(self) -> int:
        return max(self.rows.values())

    def with_at_most(self, rows: int) -> Case:
        """The same at a smaller scale."""
        share = min(1.0, rows / self.size)
        return replace(self, rows={label: round(n * share) for label, n in self.rows.items()})


def cases() -> list[Case]:
    """Every migration of the project but the ones that make the tables."""
    files = sorted(HERE.glob("bodies/*/migrations/0*.py"))
    found = [(path.parts[-3], path.stem) for path in files if "initial" not in path.stem]
    migrations = [(app, f"{app}.{name}") for app, name in found]
    return [Case(name, _ROWS_OF.get(name, _ROWS[app])) for app, name in migrations]


def chosen(migrations: Collection[str]) -> list[Case]:
    return [case for case in cases() if case.migration in migrations]
