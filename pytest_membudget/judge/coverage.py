"""What the samples leave unseen: each gap is a reason why a verdict can't be ``within``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import shorten

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.matching import (
    driving_model,
    loads_no_rows,
    touched_share,
    unmatched,
    values_of,
)
from pytest_membudget.judge.portions import Portion
from pytest_membudget.project.comparisons import EACH_ROW
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_rows, format_size

# With fewer of the seeded rows touched nothing can be said about a migration that touches all.
TOUCHED_TOO_FEW = 0.1
TOUCHED_HALF = 0.5
TOUCHED_ALL = 0.9
# A value is in the client's result, in a row and in an object.
_COPIES = 4


@dataclass(frozen=True)
class Coverage:
    """What the samples of ``evidence`` leave unseen."""

    evidence: Evidence

    @cached_property
    def touched(self) -> float | None:
        """The share of the seeded rows that the last sample read or wrote; see touched_by."""
        finished = self.evidence.finished
        return touched_by(self.evidence, finished[-1]) if finished else None

    @cached_property
    def unmatched(self) -> list[str]:
        """Statements of the last sample that found no row, and might have found any number."""
        finished = self.evidence.finished
        return unmatched(finished[-1]) if finished and self.evidence.touches_rows else []

    @cached_property
    def portions(self) -> list[Portion]:
        return self.evidence.portions

    @cached_property
    def is_known(self) -> bool:
        """Whether production's share of the rows is known that the last sample touched."""
        evidence = self.evidence
        largest = driving_model(evidence.finished[-1], evidence.tables) if self.portions else None
        return largest is not None and evidence.are_known(evidence.tables[largest])

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The gravest first; of several migrations each names the one that it is about."""
        return tuple(gap if gap.migration else self._named(gap) for gap in self._gaps)

    def _named(self, gap: Gap) -> Gap:
        for label, own in self._of_each.items():
            if any(one.sentence == gap.sentence for one in own._gaps):
                return replace(gap, migration=label)
        return gap

    @cached_property
    def _of_each(self) -> dict[str, Coverage]:
        """Of several migrations, what the last sample leaves unseen of each."""
        last = self.evidence.finished[-1:]
        return {
            label: Coverage(
                replace(self.evidence, samples=(replace(last[0], run=run),), unnamed=())
            )
            for label, run in (last[0].run.migrations if last else {}).items()
        }

    @cached_property
    def _gaps(self) -> tuple[Gap, ...]:
        evidence, finished = self.evidence, self.evidence.finished
        if not finished:
            return tuple(_refused(evidence.samples))
        return (
            *_refused(evidence.samples),
            *left_out(evidence.budget),
            *_of_what_ran(finished[-1]),
            *evidence.unnamed,
            *self._of_rows(finished[-1]),
            *_of_memory(finished, evidence.budget.limit),
        )

    def _of_rows(self, last: Sample) -> Iterator[Gap]:
        """Rows that the samples lack."""
        evidence, touched = self.evidence, self.touched
        forced, known = last.forced_values, evidence.literals

        def seeded() -> str:
            return evidence.budget.counted(last.rows)

        if touched is not None and touched < TOUCHED_TOO_FEW and not self.is_known:
            share = "none" if touched == 0 else f"only {touched:.0%}"
            yield Gap(
                FindingCode.ROWS_UNTOUCHED,
                f"touched {share} of the seeded rows ({seeded()}), so the samples do not show "
                "what it takes in production; use seed= to create rows that it processes",
            )
        # A seed makes the rows that its author knows of.
        if self.unmatched and not evidence.budget.seed:
            statement = shorten(self.unmatched[0], 200, placeholder=" …")
            yield Gap(
                FindingCode.STATEMENT_UNMATCHED,
                f"runs a statement that matches none of the seeded rows ({seeded()}), so the "
                f"number of rows that it loads in production is unknown: {statement}; use seed= "
                "to create rows that match",
                only_adds=True,
            )
        for label, table in evidence.tables.items():
            # What it chooses without the value has production's widths there.
            others = table in last.run.loads and [] in last.run.accessed_tables.get(table, ())
            missing = last.narrowed.get(table, 0) if others else 0
            more = _COPIES * missing * (evidence.budget.rows.get(label) or 0)
            if more and last.run.peak + more > evidence.budget.limit:
                yield Gap(
                    FindingCode.ROWS_ASKED,
                    f"loads rows of {label} that it does not choose by {values_of(forced, known)}, "
                    f"with which all were seeded, {missing:.0f} bytes narrower than production's; "
                    "use seed= to create such rows",
                )
        for label, missing in last.copied.items():
            more = _COPIES * missing * (evidence.budget.rows.get(label) or 0)
            loaded = evidence.tables.get(label) in last.run.loads
            if loaded and more and last.run.peak + more > evidence.budget.limit:
                yield Gap(
                    FindingCode.ROWS_SAMPLED,
                    f"loads rows of {label} that are copies of those in the rows file, "
                    f"{missing:.0f} bytes narrower than production's; take the sample from a "
                    "database with rows like production's",
                )
        if branch := evidence.ahead.branch(evidence.branches, evidence.ladder):
            rows, time_budget = branch
            yield Gap(
                FindingCode.BRANCH_AHEAD,
                f"compares a count with {format_rows(rows)} in its code, and no sample had more "
                f"rows than that (the largest had {seeded()}), so what it does with more rows was "
                f"not measured; time_budget={time_budget} would allow such a sample",
            )


def touched_by(evidence: Evidence, sample: Sample) -> float | None:
    """The share of the seeded rows that a sample read or wrote; None where it does not matter."""
    changes = not sample.run.changed.isdisjoint(evidence.tables.values())
    in_server = loads_no_rows(sample.run) and (changes or EACH_ROW in evidence.branches)
    # How long the database takes depends on how many rows meet its conditions.
    chooses = evidence.budget.depends_on_tables and not sample.run.changed.isdisjoint(
        sample.run.filters
    )
    matters = evidence.touches_rows and (chooses or not in_server)
    return touched_share(sample, evidence.tables) if matters else None


def _refused(samples: Sequence[Sample]) -> Iterator[Gap]:
    refused = dict.fromkeys(name for sample in samples for name in sample.run.refused)
    if refused:
        names = " and ".join(refused)
        yield Gap(
            FindingCode.ACCESS_REFUSED,
            f"tried to use {names}, which was refused: a check can use only its own scratch "
            "database, so what the migration would do there is unknown",
        )


def left_out(budget: Budget) -> Iterator[Gap]:
    """Code that the project has and that will not run in this check, whatever its samples."""
    for one in budget.findings:
        if one.code in (FindingCode.CODE_LEFT_OUT, FindingCode.ROUTED_ELSEWHERE):
            yield Gap(one.code, f"did not run completely: {one.message}", only_adds=True)


def _of_what_ran(last: Sample) -> Iterator[Gap]:
    """Code that did not run, and rows of which it is not known where they come from."""
    run = last.run
    for migration, label, why in run.not_run:
        code = FindingCode.ASYNC_CODE if "async" in why else FindingCode.CODE_NOT_RUN
        sentence = f"did not run completely: {label} {why}"
        yield Gap(code, sentence, only_adds=True, migration=migration)
    for statement, rows in run.unattributed.items():
        yield Gap(
            FindingCode.ROWS_UNATTRIBUTED,
            f"loads {format_rows(rows)} rows with a statement whose tables are unknown, so they "
            f"can't be compared with the seeded rows: {shorten(statement, 200, placeholder=' …')}; "
            "select from a named table instead",
        )
    if run.facts.opened > run.facts.connected or run.facts.own_sessions:
        yield Gap(
            FindingCode.CONNECTION_UNLOGGED,
            "opens a database connection outside Django, so the rows that it loads there are "
            "unknown; use schema_editor.connection instead",
        )
    if last.unlogged:
        found = ", ".join(f"{format_rows(n)} rows of {t}" for t, n in last.unlogged.items())
        yield Gap(
            FindingCode.ROWS_UNLOGGED,
            f"accesses {found} outside Django's connection, according to the server's statistics, "
            "so the rows that it loads there are unknown; use schema_editor.connection instead",
        )


def _of_memory(finished: Sequence[Sample], limit: int) -> Iterator[Gap]:
    """Memory that is in no peak."""
    if any(sample.run.facts.left_growing for sample in finished):
        yield Gap(
            FindingCode.PROCESSES_GROWING,
            "leaves processes running whose memory still grew when they were stopped, so their "
            "peak is unknown; make the migration wait for them",
        )
    # Of any sample: a file may have gone between two looks at another one.
    more = max(sample.run.facts.unexplained for sample in finished)
    if more and finished[-1].run.peak + more > limit:
        yield Gap(
            FindingCode.MEMORY_UNEXPLAINED,
            f"used {format_size(more)} more memory in its control group than its processes and "
            "shared memory account for; check whether it writes files to a tmpfs",
        )
