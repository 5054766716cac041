"""What the reader of a verdict should know about the samples that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import shorten

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge import reasons
from pytest_membudget.judge.asked_rows import on_every_row, stated
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.coverage import TOUCHED_ALL, Coverage
from pytest_membudget.judge.curves import highest_of_each
from pytest_membudget.judge.estimate import Estimate
from pytest_membudget.judge.gap import Gap
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.process_findings import about_process
from pytest_membudget.judge.time_findings import about_time
from pytest_membudget.sample import Sample
from pytest_membudget.units import (
    format_rows,
    format_share,
    format_size,
    round_rows_down,
)


def find(assessment: Assessment) -> list[Finding]:
    """All findings of a check."""
    evidence = assessment.evidence
    found = [*evidence.budget.findings, *evidence.notes]
    seeded = evidence.tables.values()
    if evidence.samples:
        found += _about_rows(assessment.coverage, evidence.samples[-1])
        found += about_process(evidence.samples, evidence.database.vendor, seeded)
        found += about_time(assessment.estimate)
        found += _about_more_rows(assessment.estimate)
    return with_gaps(found, assessment.coverage.gaps)


def with_gaps(found: Sequence[Finding], gaps: Sequence[Gap]) -> list[Finding]:
    """With a finding of each gap, unless one of the same code says what it is."""
    codes = {one.code for one in found}
    missing = [gap for gap in gaps if gap.code not in codes]
    return [*(Finding(gap.code, f"the migration {gap.sentence}") for gap in missing), *found]


def set_by(peaks: Sequence[tuple[str, float]], peaked: str) -> Finding:
    """``peaks`` by label, the highest first; ``peaked`` says when they did, or would."""
    each = ", ".join(f"{label} {format_size(peak)}" for label, peak in peaks)
    text = f"{peaks[0][0]} sets the peak; each {peaked} at: {each}"
    return Finding(FindingCode.PEAK_SET_BY, text)


def _about_rows(coverage: Coverage, last: Sample) -> Iterator[Finding]:
    budget, touched = coverage.evidence.budget, coverage.touched
    if touched is not None and touched < TOUCHED_ALL and not coverage.is_known:
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
    if every := on_every_row(coverage.evidence):
        yield Finding(
            FindingCode.ROWS_ASKED,
            f"every row was seeded with a value that the migration filters by, {every}; "
            "the share of such rows in production is unknown",
        )
    if coverage.portions:
        low, high = (
            ", ".join(format_share(getattr(one, end)) for one in coverage.portions)
            for end in ("low", "high")
        )
        yield Finding(
            FindingCode.ROWS_SHARED,
            "rows that the migration filters by were seeded as the profile says: "
            f"{stated(coverage.evidence)}; the interval assumes at least {low} and at most {high}",
        )
    if last.copied and budget.rows_file:
        others = sorted(budget.rows.keys() - last.copied.keys())
        rest = f"; those of {', '.join(others)} were generated" if others else ""
        yield Finding(
            FindingCode.ROWS_SAMPLED,
            f"rows of {', '.join(last.copied)} are copies of those in {Path(budget.rows_file).name}"
            f"{rest}",
        )
    if widths := {label: columns for label, columns in last.widths.items() if label in last.rows}:
        text = "; ".join(
            f"{label} {sum(columns.values())} bytes a row, "
            + ", ".join(f"{name} {width}" for name, width in _widest(columns))
            for label, columns in widths.items()
        )
        yield Finding(
            FindingCode.ROW_WIDTHS,
            f"average widths of the {'generated' if not last.copied else 'seeded'} rows: {text}",
        )
    if last.profile_mismatches:
        text = "; ".join(
            f"{label}: {', '.join(names)}" for label, names in last.profile_mismatches.items()
        )
        yield Finding(
            FindingCode.SHAPE_MISSED,
            f"columns whose generated values do not match the profile: {text}",
        )
    if unasked := {label: n for label, n in last.seeded.items() if label not in budget.rows}:
        text = ", ".join(f"{format_rows(rows)} {label}" for label, rows in unasked.items())
        yield Finding(FindingCode.ROWS_UNASKED, f"rows of other models were seeded as well: {text}")
    if coverage.unmatched:
        statements = (shorten(one, 200, placeholder=" …") for one in coverage.unmatched)
        yield Finding(
            FindingCode.STATEMENT_UNMATCHED,
            f"statements that match none of the seeded rows: {'; '.join(statements)}",
        )
    if last.crowded and last.size < budget.largest:
        yield Finding(
            FindingCode.DISK_ROOM,
            f"no sample has more than {budget.counted(last.rows)} rows: the disk has no space "
            "for a database with twice as many rows and its clone",
        )


def _widest(columns: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(columns.items(), key=lambda item: -item[1])[:4]


def _about_more_rows(estimate: Estimate) -> Iterator[Finding]:
    evidence, projection, peaks = estimate.evidence, estimate.projection, estimate.peaks
    budget = evidence.budget
    fits = 0 if projection is None else estimate.fits or 0
    production = budget.rows[budget.counted_model]
    if budget.growth is not None and fits > production:
        until = budget.growth.until(fits / production)
        yield Finding(
            FindingCode.BREAKS_IN,
            f"at a growth of {budget.growth.text}, the peak reaches the limit in {until}, with "
            f"{format_rows(round_rows_down(fits))} {budget.counted_model} rows",
        )
    if len(peaks) > 1:
        yield set_by(peaks, "would peak")
    elif len(seen := highest_of_each(evidence.samples[-1:])) > 1:
        yield set_by(seen, "peaked in the last sample")
    if evidence.breaks is not None:
        rows, code = evidence.breaks
        yield Finding(
            code,
            f"one of its statements has {reasons.TOO_LARGE[code]} at about {format_rows(rows)} "
            f"{budget.counted_model} rows",
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
            "reference cycles accumulate until Python's garbage collector runs, and the samples "
            "were too small to show how much it frees; growth may stop there, so the lower bound "
            "is the largest measured peak",
        )
