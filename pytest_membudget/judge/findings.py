"""What the reader of a verdict should know about the samples that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.coverage import TOUCHED_ALL, Coverage
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.process_findings import about_process
from pytest_membudget.sample import Outcome, Sample
from pytest_membudget.units import format_rows, format_seconds, format_size, round_rows_down


def find(assessment: Assessment) -> list[Finding]:
    """All findings of a check."""
    evidence = assessment.evidence
    found = [*evidence.budget.findings, *evidence.notes]
    if evidence.samples:
        found += _about_rows(assessment.coverage, evidence.samples[-1])
        found += about_process(evidence.samples, evidence.database.vendor)
        found += _about_time(assessment.estimate)
        found += _about_more_rows(assessment.estimate)
    return with_gaps(found, assessment.coverage.gaps)


def with_gaps(found: Sequence[Finding], gaps: Sequence[Gap]) -> list[Finding]:
    """With a finding of each gap, unless one of the same code says what it is."""
    codes = {one.code for one in found}
    missing = [gap for gap in gaps if gap.code not in codes]
    return [*(Finding(gap.code, f"the migration {gap.sentence}") for gap in missing), *found]


def _about_rows(coverage: Coverage, last: Sample) -> Iterator[Finding]:
    budget, touched = coverage.evidence.budget, coverage.touched
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
    if coverage.assumed:
        yield Finding(
            FindingCode.ROWS_ASKED,
            f"every row was seeded with a value that the migration filters by, {coverage.assumed}; "
            "how many rows have it in production is not known",
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
    if unasked := {label: n for label, n in last.seeded.items() if label not in budget.rows}:
        text = ", ".join(f"{format_rows(rows)} {label}" for label, rows in unasked.items())
        yield Finding(FindingCode.ROWS_UNASKED, f"rows of other models were seeded as well: {text}")
    if coverage.unmatched:
        statements = (shorten(one, 200, placeholder=" …") for one in coverage.unmatched)
        yield Finding(
            FindingCode.STATEMENT_UNMATCHED,
            f"statements that found none of the seeded rows: {'; '.join(statements)}",
        )
    if last.crowded and last.size < budget.largest:
        yield Finding(
            FindingCode.DISK_ROOM,
            f"there is no room for a database of twice as many rows as {budget.counted(last.rows)} "
            "beside its copy, so larger samples were not taken",
        )


def _widest(columns: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(columns.items(), key=lambda item: -item[1])[:4]


def _about_time(estimate: Estimate) -> Iterator[Finding]:
    evidence, budget = estimate.evidence, estimate.evidence.budget
    last, worked = evidence.samples[-1], evidence.finished
    if worked and last.run.outcome in (Outcome.RAISED, Outcome.KILLED):
        yield Finding(
            FindingCode.BROKE_AT_SCALE,
            f"it works with {budget.counted(worked[-1].rows)} rows and breaks with "
            f"{format_rows(last.rows[budget.counted_model])}: {last.run.failure}",
        )
    if last.run.outcome == Outcome.TIMED_OUT:
        yield Finding(
            FindingCode.TIMED_OUT, f"with {format_rows(last.size)} rows {last.run.failure}"
        )
    if last.run.outcome == Outcome.MACHINE_SHORT:
        yield Finding(FindingCode.MACHINE_SHORT, f"a sample was stopped: {last.run.failure}")
    if estimate.duration is not None and worked[-1].run.duration > 1:
        linear = worked[-1].run.duration * evidence.ladder.rows / worked[-1].size
        if estimate.duration > 2 * linear:
            yield Finding(
                FindingCode.TIME_SUPERLINEAR,
                f"its time grows faster than its rows: {format_seconds(estimate.duration)} at "
                "production's row count",
            )


def _about_more_rows(estimate: Estimate) -> Iterator[Finding]:
    budget, projection, peaks = estimate.evidence.budget, estimate.projection, estimate.peaks
    fits = 0 if projection is None else estimate.fits or 0
    production = budget.rows[budget.counted_model]
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
    if projection is None or projection.growth in (Growth.CONSTANT, Growth.BOUNDED, None):
        return
    if (threshold := budget.to_counted(estimate.threshold_ahead)) is not None:
        yield Finding(
            FindingCode.THRESHOLD_AHEAD,
            f"growth may stop at {format_rows(threshold)} {budget.counted_model} rows, a chunk or "
            "buffer size of the migration's code or of Django; no sample was large enough to "
            "confirm it, so the lower bound assumes that it does",
        )
    if estimate.cycles_add_up:
        yield Finding(
            FindingCode.CYCLES_AHEAD,
            "objects that refer to each other add up until Python's cycle collector runs, and the "
            "samples were too small to show how much it leaves: growth may end there, so the "
            "interval reaches down to the largest peak that was measured",
        )
