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
            f"there is no room for a database of twice as many rows as {rows} "
            f"{budget.counted_model} beside its copy, so larger samples were not taken",
        )


def _about_more_rows(budget: Budget, estimate: Estimate) -> Iterator[Finding]:
    production, peaks = budget.scale.counted, estimate.peaks
    fits = 0 if estimate.projection is None else estimate.fits or 0
    if budget.growth is not None and fits > production:
        until = budget.growth.until(fits / production)
        yield Finding(
            FindingCode.BREAKS_IN,
            f"at {budget.growth.text} it will not fit any more in {until}, with "
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
            "one of its statements has a parameter for each row, and this database takes no "
            f"more in a statement from about {format_rows(estimate.breaks_with)} "
            f"{budget.counted_model} rows on",
        )


def _about_rows(budget: Budget, samples: Sequence[Sample], coverage: Coverage) -> Iterator[Finding]:
    last, touched, assumed = samples[-1], coverage.touched, coverage.assumed
    if touched is not None and touched < TOUCHED_ALL:
        yield Finding(
            FindingCode.ROWS_UNTOUCHED,
            f"the migration touched {touched:.0%} of the seeded rows; the interval reaches up to "
            "where all of them would be touched",
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
            f"the migration filters by {empty}, so these were seeded empty, as a column that "
            "has just been added: NULL, its default or blank",
        )
    if assumed:
        yield Finding(
            FindingCode.ROWS_ASKED,
            f"every row was seeded with a value that the migration filters by, {assumed}; how many "
            "rows have it in production is not known",
        )
    if widths := {label: columns for label, columns in last.widths.items() if label in last.rows}:
        text = "; ".join(
            f"{label} {sum(columns.values())} bytes a row, "
            + ", ".join(f"{name} {width}" for name, width in _widest(columns))
            for label, columns in widths.items()
        )
        yield Finding(FindingCode.ROW_WIDTHS, f"rows were generated with average widths of {text}")
    if last.profile_mismatches:
        text = "; ".join(
            f"{label}: {', '.join(names)}" for label, names in last.profile_mismatches.items()
        )
        yield Finding(
            FindingCode.SHAPE_MISSED, f"values could not be made as the profile has them: {text}"
        )
    unasked = {label: n for label, n in last.seeded.items() if label not in budget.rows}
    if unasked:
        text = ", ".join(f"{format_rows(rows)} {label}" for label, rows in unasked.items())
        yield Finding(FindingCode.ROWS_UNASKED, f"rows of other models were seeded as well: {text}")
    if coverage.unmatched:
        statements = (shorten(one, 200, placeholder=" …") for one in coverage.unmatched)
        yield Finding(
            FindingCode.STATEMENT_UNMATCHED,
            f"statements that found none of the seeded rows: {'; '.join(statements)}",
        )


def _widest(columns: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(columns.items(), key=lambda item: -item[1])[:4]


def about_process(samples: Sequence[Sample], vendor: str | None) -> Iterator[Finding]:
    """What the process that was measured has in it, or is not measured well by."""
    facts = [sample.run.facts for sample in samples]
    if vendor and engine_of(vendor).embedded:
        yield Finding(
            FindingCode.VENDOR_SQLITE,
            "measured on SQLite; another database changes a migration's memory several times "
            "over, so measure on the one that production runs",
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
            "proportional set sizes at one instant, looked at some fifty times a second",
        )
    if shared := max(one.shared_memory for one in facts):
        yield Finding(
            FindingCode.SHARED_MEMORY,
            f"up to {format_size(shared)} of the peak are files in /dev/shm or memfds that no "
            "process maps: a container's limit counts them",
        )
    if more := max(one.unexplained for one in facts):
        yield Finding(
            FindingCode.MEMORY_UNEXPLAINED,
            f"its memory control group held {format_size(more)} more than the peak: files that it "
            "writes to a tmpfs, perhaps, which a container's limit counts",
        )
    if left := max(one.left_running for one in facts):
        yield Finding(
            FindingCode.PROCESSES_LEFT,
            f"it leaves {left} process{'es' if left > 1 else ''} running, which membudget ends: "
            "memory that these would take later is not in the peak",
        )
    sources = {sample.run.peak_source for sample in samples if sample.finished}
    if "sampled RSS" in sources:
        yield Finding(
            FindingCode.PEAK_SAMPLED,
            "this system keeps no high-water mark of a process: the peak is the largest RSS seen",
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
            f"it works with {format_rows(worked[-1].rows[budget.counted_model])} "
            f"{budget.counted_model} rows and breaks with "
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
                f"its time grows faster than its rows: {format_seconds(projected)} at "
                "production's row count",
            )
