"""What a check is about: a budget, with what the project and production say about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.gap import Gap
from pytest_membudget.processes.server.seeded_database import SeededDatabase
from pytest_membudget.processes.worker.outcome import Launch
from pytest_membudget.profile.production import Production
from pytest_membudget.sample import ForcedValues
from pytest_membudget.sample.lesson import Expected, Lesson
from pytest_membudget.units import MIB

if TYPE_CHECKING:
    from pytest_membudget.project.selection import Gated

# So far above the limit the verdict is certain, whatever the rest of the run takes.
_CERTAIN = 1.1
_CERTAIN_BYTES = 32 * MIB


@dataclass(frozen=True)
class CheckPlan:
    """A budget with what the project's history says about its migrations.

    ``applied`` are the migrations before it, ``targets`` those of the worker's job;
    ``touches_rows`` says that it runs code which is expected to read or write rows, ``files`` are
    those of the migrations, ``named_numbers`` are the whole numbers of their code,
    ``branches`` those that it compares a count with.
    ``production`` is what is known of it: where the budget has no rows, dry runs pick them.
    ``gated`` is what the gate says of the migration, None where a test asks for the check.
    ``lessons`` are what earlier runs of this check have taught; ``sought`` are rows that it looks
    for one at a time and does more with than without them, ``settled`` the guards of a Run where it
    does not.  ``forced_values`` are those without which its statements found no row of a table.
    ``startup`` is how many seconds a process takes before the migration begins, as dry runs told,
    and ``few_peak`` the bytes of the peak of the last of these, with a few rows in each table.
    ``mixed`` is the file of one that alters tables and goes through rows in one transaction.
    ``unknown`` are gaps of tables that one of several migrations accesses, where rows of others are
    seeded.  ``attribution`` says when to find out why the peak grows: ``"failed"``, ``"always"``,
    ``"never"``; ``explaining`` are the seconds for that, None where the time budget includes it.
    ``confirm`` asks for a run in a memory control group of the limit's size.
    """

    budget: Budget
    applied: list[tuple[str, str]]
    targets: list[tuple[str, str]]
    touches_rows: bool
    files: Sequence[str] = ()
    named_numbers: Sequence[int] = ()
    branches: Sequence[int] = ()
    production: Production = field(default_factory=Production)
    gated: Gated | None = None
    lessons: tuple[Lesson, ...] = ()
    sought: tuple[Lesson, ...] = ()
    forced_values: ForcedValues = field(default_factory=dict)
    startup: float = 0.0
    few_peak: int | None = None
    settled: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    mixed: str | None = None
    unknown: tuple[Gap, ...] = ()
    attribution: str = "failed"
    explaining: float | None = None
    confirm: bool = False

    @property
    def without_rows(self) -> frozenset[str]:
        """The models that have none, since the migration makes rows of them by itself."""
        return frozenset(one.asked[0] for one in self.lessons if one.expected == Expected.NONE)

    def with_lesson(self, lesson: Lesson, rows: Mapping[str, int]) -> CheckPlan:
        """With one more, and with ``rows`` of the models that it is about."""
        budget, production = self.budget, self.production
        if budget.rows:
            budget = replace(budget, rows={**budget.rows, **rows})
        if lesson.expected in (Expected.SINGLE, Expected.NONE):
            production = replace(production, stated={**production.stated, **rows})
        lessons = (*self.lessons, lesson)
        return replace(self, budget=budget, production=production, lessons=lessons)

    def with_most(self, most: Mapping[str, int]) -> CheckPlan:
        """With how many rows models can have."""
        production = self.production
        return replace(self, production=replace(production, most={**production.most, **most}))

    def job(
        self, seeded: SeededDatabase, name: str, *, deadline: float, stop_above: int | None = None
    ) -> Launch:
        """What the worker has to do on the database ``name``, a clone of ``seeded``.

        It is stopped above ``stop_above`` bytes, by default where it is certain to exceed.
        """
        certain = int(self.budget.limit * _CERTAIN) + _CERTAIN_BYTES
        return Launch(
            alias=self.budget.database,
            name=name,
            tables=seeded.uniques,
            targets=self.targets,
            migrations=list(self.budget.migrations),
            reverse=self.budget.reverse,
            deadline=seeded.within_deadline(deadline),
            stop_above=certain if stop_above is None else stop_above,
            workers=seeded.workers,
            vendor=seeded.vendor,
            folder=seeded.folder,
            mark=seeded.mark,
            password=seeded.password,
            embedded=seeded.embedded,
            files=any(lesson.expected == Expected.FILE for lesson in self.lessons),
        )
