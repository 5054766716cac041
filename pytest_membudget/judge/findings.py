"""The ways in which a check can lie, noticed in its samples and named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import Finding
from pytest_membudget.judge.coverage import (
    ACCESS_REFUSED,
    ASYNC_CODE,
    CODE_NOT_RUN,
    TOUCHED_ALL,
    Gap,
)
from pytest_membudget.sample import KILLED, MACHINE_SHORT, RAISED, TIMED_OUT, Sample
from pytest_membudget.units import format_rows, format_seconds, format_size, round_rows_down


def find(
    budget: Budget,
    samples: Sequence[Sample],
    *,
    notes: Sequence[tuple[str, str]],
    vendor: str | None,
    touched: float | None,
    unmatched: Sequence[str],
    gaps: Sequence[Gap],
    projected_duration: float | None,
    breaks_at: int | None,
    peaks: Sequence[tuple[str, float]] = (),
    fits: int | None = None,
    asked: str = "",
) -> list[Finding]:
    """Everything that the reader of a verdict should know about how it came about.

    ``breaks_at`` is the row count from which on a statement has too many parameters; ``peaks`` are
    those of several migrations, ``fits`` how many rows would fit; ``asked`` are the columns that
    were seeded with values.
    """
    found = [Finding(code, message) for code, message in (*budget.findings, *notes)]
    if not samples:
        return found
    found += [
        Finding(gap.code, f"the migration {gap.sentence}")
        for gap in gaps
        if gap.code in (ACCESS_REFUSED, ASYNC_CODE, CODE_NOT_RUN)
    ]
    found += _about_rows(budget, samples, touched, asked)
    if unmatched:
        text = "; ".join(shorten(statement, 200, placeholder=" …") for statement in unmatched)
        found.append(
            Finding("statement-unmatched", f"statements that found none of the seeded rows: {text}")
        )
    if samples[-1].crowded and samples[-1].size < max(budget.rows.values()):
        rows = format_rows(samples[-1].rows[budget.counted_model])
        found.append(
            Finding(
                "disk-room",
                f"there is no room for a database of twice as many rows as {rows} "
                f"{budget.counted_model} beside its copy, so larger samples were not taken",
            )
        )
    found += about_process(samples, vendor)
    found += _about_time(budget, samples, projected_duration)
    production = budget.rows[budget.counted_model]
    if budget.growth is not None and fits is not None and fits > production:
        until = budget.growth.until(fits / production)
        found.append(
            Finding(
                "breaks-in",
                f"at {budget.growth.text} it will not fit any more in {until}, with "
                f"{format_rows(round_rows_down(fits))} {budget.counted_model} rows",
            )
        )
    if len(peaks) > 1:
        each = ", ".join(f"{label} {format_size(peak)}" for label, peak in peaks)
        found.append(
            Finding("peak-set-by", f"{peaks[0][0]} sets the peak; each would peak at: {each}")
        )
    if breaks_at is not None:
        found.append(
            Finding(
                "too-many-parameters",
                "one of its statements has a parameter for each row, and this database takes no "
                f"more in a statement from about {format_rows(breaks_at)} "
                f"{budget.counted_model} rows on",
            )
        )
    return found


def _about_rows(
    budget: Budget, samples: Sequence[Sample], touched: float | None, asked: str
) -> Iterator[Finding]:
    last = samples[-1]
    if touched is not None and touched < TOUCHED_ALL:
        yield Finding(
            "rows-untouched",
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
            "rows-fresh",
            f"the migration filters by {empty}, so these were seeded empty, as a column that "
            "has just been added: NULL, its default or blank",
        )
    if asked:
        yield Finding(
            "rows-asked",
            f"every row was seeded with a value that the migration filters by, {asked}; how many "
            "rows have it in production is not known",
        )
    if widths := {label: columns for label, columns in last.widths.items() if label in last.rows}:
        text = "; ".join(
            f"{label} {sum(columns.values())} bytes a row, "
            + ", ".join(f"{name} {width}" for name, width in _widest(columns))
            for label, columns in widths.items()
        )
        yield Finding("row-widths", f"rows were generated with average widths of {text}")
    if last.profile_mismatches:
        text = "; ".join(
            f"{label}: {', '.join(names)}" for label, names in last.profile_mismatches.items()
        )
        yield Finding("shape-missed", f"values could not be made as the profile has them: {text}")
    unasked = {label: n for label, n in last.seeded.items() if label not in budget.rows}
    if unasked:
        text = ", ".join(f"{format_rows(rows)} {label}" for label, rows in unasked.items())
        yield Finding("rows-unasked", f"rows of other models were seeded as well: {text}")


def _widest(columns: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(columns.items(), key=lambda item: -item[1])[:4]


def about_process(samples: Sequence[Sample], vendor: str | None) -> Iterator[Finding]:
    """What the process that was measured has in it, or is not measured well by."""
    facts = {key: value for sample in samples for key, value in sample.run.facts.items()}
    if vendor == "sqlite":
        yield Finding(
            "vendor-sqlite",
            "measured on SQLite; another database changes a migration's memory several times "
            "over, so measure on the one that production runs",
        )
    if facts.get("debug"):
        yield Finding(
            "debug-on",
            "settings.DEBUG is True in the measured process: Django keeps the last 9,000 "
            "statements, each with its parameters",
        )
    if facts.get("server_side_cursors_disabled"):
        yield Finding(
            "server-side-cursors-disabled",
            "DISABLE_SERVER_SIDE_CURSORS is set: iterator() loads the whole result at once",
        )
    processes = max(sample.run.processes for sample in samples)
    if processes > 1:
        yield Finding(
            "child-processes",
            f"the migration ran {processes} processes: the peak is the largest sum of their "
            "proportional set sizes at one instant, looked at some fifty times a second",
        )
    if shared := facts.get("shared_memory"):
        yield Finding(
            "shared-memory",
            f"up to {format_size(shared)} of the peak are files in /dev/shm or memfds that no "
            "process maps: a container's limit counts them",
        )
    if more := facts.get("unexplained"):
        yield Finding(
            "memory-unexplained",
            f"its memory control group held {format_size(more)} more than the peak: files that it "
            "writes to a tmpfs, perhaps, which a container's limit counts",
        )
    if left := facts.get("left_running"):
        yield Finding(
            "processes-left",
            f"it leaves {left} process{'es' if left > 1 else ''} running, which membudget ends: "
            "memory that these would take later is not in the peak",
        )
    sources = {sample.run.peak_source for sample in samples if sample.finished}
    if "sampled RSS" in sources:
        yield Finding(
            "peak-sampled",
            "this system keeps no high-water mark of a process: the peak is the largest RSS seen",
        )


def _about_time(
    budget: Budget, samples: Sequence[Sample], projected: float | None
) -> Iterator[Finding]:
    last = samples[-1]
    worked = [sample for sample in samples if sample.finished]
    broke = last.run.outcome in (RAISED, KILLED)
    if broke and worked:
        yield Finding(
            "broke-at-scale",
            f"it works with {format_rows(worked[-1].rows[budget.counted_model])} "
            f"{budget.counted_model} rows and breaks with "
            f"{format_rows(last.rows[budget.counted_model])}: {last.run.failure}",
        )
    if last.run.outcome == TIMED_OUT:
        yield Finding("timed-out", f"with {format_rows(last.size)} rows {last.run.failure}")
    if last.run.outcome == MACHINE_SHORT:
        yield Finding("machine-short", f"a sample was stopped: {last.run.failure}")
    if projected is not None and worked and worked[-1].run.duration > 1:
        linear = worked[-1].run.duration * max(budget.rows.values()) / worked[-1].size
        if projected > 2 * linear:
            yield Finding(
                "time-superlinear",
                f"its time grows faster than its rows: {format_seconds(projected)} at "
                "production's row count",
            )
