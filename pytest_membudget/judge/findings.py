"""The ways in which a check can lie, noticed in its samples and named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten

from pytest_membudget.budget.request import Budget
from pytest_membudget.database.engine import engine_of
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.ahead import findings_ahead
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.coverage import TOUCHED_ALL, Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.projection import Growth
from pytest_membudget.sample import Outcome, Sample
from pytest_membudget.units import format_rows, format_seconds, format_size, round_rows_down

# What a gap says of these is worth more than the first line of a failure.
_SHOWN_GAPS = (FindingCode.ACCESS_REFUSED, FindingCode.ASYNC_CODE, FindingCode.CODE_NOT_RUN)
_SETTLED = (Growth.CONSTANT, Growth.BOUNDED, None)


def find(assessment: Assessment) -> Iterator[Finding]:
    """Everything that the reader of a verdict should know about how it came about."""
    evidence, coverage, estimate = assessment.evidence, assessment.coverage, assessment.estimate
    budget, samples = evidence.budget, evidence.samples
    yield from (*budget.findings, *evidence.notes)
    if not samples:
        return
    for gap in coverage.gaps:
        if gap.code in _SHOWN_GAPS:
            yield Finding(gap.code, f"the migration {gap.sentence}")
    yield from _about_rows(budget, samples, coverage)
    yield from _about_room(budget, samples[-1])
    yield from about_process(samples, evidence.database["vendor"])
    yield from _about_time(budget, samples, estimate.duration)
    yield from _about_more_rows(budget, estimate)
    if estimate.projection is not None and estimate.projection.growth not in _SETTLED:
        yield from findings_ahead(
            budget.counted_model,
            threshold=estimate.scale.to_counted(estimate.threshold_ahead),
            cycles=estimate.cycles_add_up,
        )


def _about_room(budget: Budget, last: Sample) -> Iterator[Finding]:
    if last.crowded and last.size < budget.scale.largest:
        rows = format_rows(last.rows[budget.counted_model])
        yield Finding(
            FindingCode.DISK_ROOM,
            f"no sample has more than {rows} {budget.counted_model} rows: the disk has no space "
            "for a database with twice as many rows and its clone",
        )


def _about_more_rows(budget: Budget, estimate: Estimate) -> Iterator[Finding]:
    production, peaks = budget.scale.counted, estimate.peaks
    fits = 0 if estimate.projection is None else estimate.fits or 0
    if budget.growth is not None and fits > production:
        until = budget.growth.until(fits / production)
        yield Finding(
            FindingCode.BREAKS_IN,
            f"at a growth of {budget.growth.text}, the peak reaches the limit in {until}, with "
            f"{format_rows(round_rows_down(fits))} {budget.counted_model} rows",
        )
    if len(peaks) > 1:
        each = ", ".join(f"{label} {format_size(peak)}" for label, peak in peaks)
        yield Finding(
            FindingCode.PEAK_SET_BY, f"{peaks[0][0]} sets the peak; each would peak at: {each}"
        )
    if estimate.breaks_with is not None:
        yield Finding(
            FindingCode.TOO_MANY_PARAMETERS,
            "one of its statements has a parameter for each row, which exceeds this database's "
            f"limit at about {format_rows(estimate.breaks_with)} {budget.counted_model} rows",
        )


def _about_rows(budget: Budget, samples: Sequence[Sample], coverage: Coverage) -> Iterator[Finding]:
    last, touched, assumed = samples[-1], coverage.touched, coverage.assumed
    if touched is not None and touched < TOUCHED_ALL:
        yield Finding(
            FindingCode.ROWS_UNTOUCHED,
            f"the migration touched {touched:.0%} of the seeded rows; the upper bound assumes that "
            "it touches all of them",
        )
    empty = ", ".join(
        f"{table}.{name}"
        for table, columns in last.forced_values.items()
        for name, value in columns.items()
        if not value
    )
    if empty:
        yield Finding(
            FindingCode.ROWS_FRESH,
            "columns that the migration filters by were seeded empty (NULL, their default or "
            f"blank), as if they had just been added: {empty}",
        )
    if assumed:
        yield Finding(
            FindingCode.ROWS_ASKED,
            f"every row was seeded with a value that the migration filters by, {assumed}; the "
            "share of such rows in production is unknown",
        )
    if widths := {label: columns for label, columns in last.widths.items() if label in last.rows}:
        text = "; ".join(
            f"{label} {sum(columns.values())} bytes a row, "
            + ", ".join(f"{name} {width}" for name, width in _widest(columns))
            for label, columns in widths.items()
        )
        yield Finding(FindingCode.ROW_WIDTHS, f"average widths of the generated rows: {text}")
    if last.profile_mismatches:
        text = "; ".join(
            f"{label}: {', '.join(names)}" for label, names in last.profile_mismatches.items()
        )
        yield Finding(
            FindingCode.SHAPE_MISSED,
            f"columns whose generated values do not match the profile: {text}",
        )
    unasked = {label: n for label, n in last.seeded.items() if label not in budget.rows}
    if unasked:
        text = ", ".join(f"{format_rows(rows)} {label}" for label, rows in unasked.items())
        yield Finding(FindingCode.ROWS_UNASKED, f"rows of other models were seeded as well: {text}")
    if coverage.unmatched:
        statements = (shorten(one, 200, placeholder=" …") for one in coverage.unmatched)
        yield Finding(
            FindingCode.STATEMENT_UNMATCHED,
            f"statements that match none of the seeded rows: {'; '.join(statements)}",
        )


def _widest(columns: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(columns.items(), key=lambda item: -item[1])[:4]


def about_process(samples: Sequence[Sample], vendor: str | None) -> Iterator[Finding]:
    """What the process that was measured has in it, or is not measured well by."""
    facts = [sample.run.facts for sample in samples]
    if vendor and engine_of(vendor).embedded:
        yield Finding(
            FindingCode.VENDOR_SQLITE,
            "measured on SQLite; the peak on another database can be several times larger or "
            "smaller, so measure on the database that production uses",
        )
    if any(one.debug for one in facts):
        yield Finding(
            FindingCode.DEBUG_ON,
            "settings.DEBUG is True in the measured process: Django keeps the last 9,000 "
            "statements, each with its parameters",
        )
    if any(one.server_side_cursors_disabled for one in facts):
        yield Finding(
            FindingCode.SERVER_SIDE_CURSORS_DISABLED,
            "DISABLE_SERVER_SIDE_CURSORS is set: iterator() loads the whole result at once",
        )
    processes = max(sample.run.processes for sample in samples)
    if processes > 1:
        yield Finding(
            FindingCode.CHILD_PROCESSES,
            f"the migration ran {processes} processes: the peak is the largest sum of their "
            "proportional set sizes (PSS), sampled about 50 times a second",
        )
    if shared := max(one.shared_memory for one in facts):
        yield Finding(
            FindingCode.SHARED_MEMORY,
            f"up to {format_size(shared)} of the peak is files in /dev/shm or memfds that no "
            "process maps; they count toward a container's memory limit",
        )
    if more := max(one.unexplained for one in facts):
        yield Finding(
            FindingCode.MEMORY_UNEXPLAINED,
            f"the migration's memory control group used {format_size(more)} more than the peak, "
            "possibly for files on a tmpfs, which count toward a container's memory limit",
        )
    if left := max(one.left_running for one in facts):
        yield Finding(
            FindingCode.PROCESSES_LEFT,
            f"the migration leaves {left} process{'es' if left > 1 else ''} running, which "
            "membudget stops; memory that they would use later is not in the peak",
        )
    sources = {sample.run.peak_source for sample in samples if sample.finished}
    if "sampled RSS" in sources:
        yield Finding(
            FindingCode.PEAK_SAMPLED,
            "this system does not report the high-water mark of a process (VmHWM), so the peak is "
            "the largest sampled RSS",
        )


def _about_time(
    budget: Budget, samples: Sequence[Sample], projected: float | None
) -> Iterator[Finding]:
    last = samples[-1]
    worked = [sample for sample in samples if sample.finished]
    broke = last.run.outcome in (Outcome.RAISED, Outcome.KILLED)
    if broke and worked:
        yield Finding(
            FindingCode.BROKE_AT_SCALE,
            f"the migration succeeds with {format_rows(worked[-1].rows[budget.counted_model])} "
            f"{budget.counted_model} rows and fails with "
            f"{format_rows(last.rows[budget.counted_model])}: {last.run.failure}",
        )
    if last.run.outcome == Outcome.TIMED_OUT:
        yield Finding(
            FindingCode.TIMED_OUT, f"with {format_rows(last.size)} rows {last.run.failure}"
        )
    if last.run.outcome == Outcome.MACHINE_SHORT:
        yield Finding(FindingCode.MACHINE_SHORT, f"a sample was stopped: {last.run.failure}")
    if projected is not None and worked and worked[-1].run.duration > 1:
        linear = worked[-1].run.duration * max(budget.rows.values()) / worked[-1].size
        if projected > 2 * linear:
            yield Finding(
                FindingCode.TIME_SUPERLINEAR,
                "the duration grows faster than the row count: about "
                f"{format_seconds(projected)} at production's row count",
            )
