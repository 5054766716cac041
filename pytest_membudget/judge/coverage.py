"""What the samples leave unseen: each gap is a reason why a verdict can't be ``within``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.ahead import Branch
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.matching import touched_share, unmatched, values_of
from pytest_membudget.sample import Run, Sample
from pytest_membudget.units import format_rows, format_size

# With fewer of the seeded rows touched nothing can be said about a migration that touches all.
TOUCHED_TOO_FEW = 0.1
TOUCHED_HALF = 0.5
TOUCHED_ALL = 0.9


@dataclass(frozen=True)
class Coverage:
    """What the samples leave unseen; built once after each sample.

    ``touched`` is the share of the seeded rows that the last one read or wrote, None where none is
    expected; ``unmatched`` are its statements that found no row, and might have found any number;
    ``gaps`` come with the gravest first; ``assumed`` are the columns with the values that every row
    was seeded with because the migration filters by them, ``""`` where there is none.
    """

    touched: float | None = None
    unmatched: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    assumed: str = ""


def cover(evidence: Evidence) -> Coverage:
    budget, finished = evidence.budget, evidence.finished
    assumed = values_of(evidence.forced_values, evidence.literals)
    if not finished:
        return Coverage(gaps=gaps_of_runs(budget, evidence.samples), assumed=assumed)
    last = finished[-1]
    touched = touched_by(evidence, last)
    found_none = tuple(unmatched(last)) if evidence.touches_rows else ()
    branch = evidence.ahead.branch(evidence.branches, evidence.ladder)
    of_rows = [
        *evidence.unnamed,
        *_untouched(budget, last, touched),
        # A seed makes the rows that its author knows of.
        *_unmatched(budget, last, () if budget.seed else found_none),
        *_branch(budget, last, branch),
    ]
    return Coverage(touched, found_none, _gaps(budget, evidence.samples, of_rows), assumed)


def touched_by(evidence: Evidence, sample: Sample) -> float | None:
    """The share of the seeded rows that a sample read or wrote; None where none is expected."""
    return touched_share(sample, evidence.tables) if evidence.touches_rows else None


def gaps_of_runs(budget: Budget, samples: Sequence[Sample]) -> tuple[Gap, ...]:
    """Those that do not depend on the rows that were seeded."""
    return _gaps(budget, samples, ())


def _gaps(budget: Budget, samples: Sequence[Sample], of_rows: Iterable[Gap]) -> tuple[Gap, ...]:
    refused = _refused(samples)
    finished = [sample for sample in samples if sample.finished]
    if not finished:
        return tuple(refused)
    last = finished[-1]
    return (
        *refused,
        *left_out(budget),
        *_not_run(last),
        *of_unknown_origin(last.run),
        *_unlogged(last),
        *of_rows,
        *_left_growing(finished),
        *_unexplained(budget, finished),
    )


def _refused(samples: Sequence[Sample]) -> Iterator[Gap]:
    refused = dict.fromkeys(name for sample in samples for name in sample.run.refused)
    if refused:
        names = " and ".join(refused)
        yield Gap(
            FindingCode.ACCESS_REFUSED,
            f"tried to use {names}, which was refused: a check can use only its own scratch "
            "database, so what the migration would do there is unknown",
        )


def of_unknown_origin(run: Run) -> Iterator[Gap]:
    """What a run loaded of which it is not known where it comes from."""
    for statement, rows in run.unattributed.items():
        yield Gap(
            FindingCode.ROWS_UNATTRIBUTED,
            f"loads {format_rows(rows)} rows with a statement whose tables are unknown, so they "
            f"can't be compared with the seeded rows: {shorten(statement, 200, placeholder=' …')}; "
            "select from a named table instead",
        )
    opened = run.facts.opened > run.facts.connected
    if opened or run.facts.own_sessions:
        yield Gap(
            FindingCode.CONNECTION_UNLOGGED,
            "opens a database connection outside Django, so the rows that it loads there are "
            "unknown; use schema_editor.connection instead",
        )


def _untouched(budget: Budget, last: Sample, touched: float | None) -> Iterator[Gap]:
    if touched is None or touched >= TOUCHED_TOO_FEW:
        return
    share = "none" if touched == 0 else f"only {touched:.0%}"
    yield Gap(
        FindingCode.ROWS_UNTOUCHED,
        f"touched {share} of the seeded rows ({_seeded(budget, last)}), so the measured peak does "
        "not show its memory in production; use seed= to create rows that it processes",
    )


def _unmatched(budget: Budget, last: Sample, statements: Sequence[str]) -> Iterator[Gap]:
    if statements:
        statement = shorten(statements[0], 200, placeholder=" …")
        yield Gap(
            FindingCode.STATEMENT_UNMATCHED,
            f"runs a statement that matches none of the seeded rows ({_seeded(budget, last)}), so "
            f"the number of rows that it loads in production is unknown: {statement}; use seed= to "
            "create rows that match",
            only_adds=True,
        )


def _unlogged(last: Sample) -> Iterator[Gap]:
    if last.unlogged:
        found = ", ".join(f"{format_rows(n)} rows of {t}" for t, n in last.unlogged.items())
        yield Gap(
            FindingCode.ROWS_UNLOGGED,
            f"accesses {found} outside Django's connection, according to the server's statistics, "
            "so the rows that it loads there are unknown; use schema_editor.connection instead",
        )


def left_out(budget: Budget) -> Iterator[Gap]:
    """Code that the project has and that will not run in this check, whatever its samples."""
    for one in budget.findings:
        if one.code in (FindingCode.CODE_LEFT_OUT, FindingCode.ROUTED_ELSEWHERE):
            yield Gap(one.code, f"did not run completely: {one.message}", only_adds=True)


def _not_run(last: Sample) -> Iterator[Gap]:
    for label, why in last.run.not_run:
        code = FindingCode.ASYNC_CODE if "async" in why else FindingCode.CODE_NOT_RUN
        yield Gap(code, f"did not run completely: {label} {why}", only_adds=True)


def _branch(budget: Budget, last: Sample, branch: Branch | None) -> Iterator[Gap]:
    if branch is not None:
        yield Gap(
            FindingCode.BRANCH_AHEAD,
            f"compares a count with {format_rows(branch.rows)} in its code, and no sample had more "
            f"rows than that (the largest had {_seeded(budget, last)}), so what it does with more "
            f"rows was not measured; time_budget={branch.time_budget} would allow such a sample",
        )


def _left_growing(finished: Sequence[Sample]) -> Iterator[Gap]:
    if any(sample.run.facts.left_growing for sample in finished):
        yield Gap(
            FindingCode.PROCESSES_GROWING,
            "leaves processes running whose memory still grew when they were stopped, so their "
            "peak is unknown; make the migration wait for them",
        )


def _unexplained(budget: Budget, finished: Sequence[Sample]) -> Iterator[Gap]:
    """What any sample took: a file may have gone between two looks at another one."""
    more = max(sample.run.facts.unexplained for sample in finished)
    if finished[-1].run.peak + more > budget.limit:
        yield Gap(
            FindingCode.MEMORY_UNEXPLAINED,
            f"used {format_size(more)} more memory in its control group than its processes and "
            "shared memory account for; check whether it writes files to a tmpfs",
        )


def _seeded(budget: Budget, last: Sample) -> str:
    return f"{format_rows(last.rows[budget.counted_model])} {budget.counted_model}"
