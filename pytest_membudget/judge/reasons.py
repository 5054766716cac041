"""The sentence of each verdict: one or two, fit to be the first line of a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_membudget.budget.request import Budget
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.projection import Projection
from pytest_membudget.sample import Outcome, Run, Sample, finished
from pytest_membudget.units import (
    format_interval,
    format_rows,
    format_seconds,
    format_size,
    round_rows_down,
)


def peaks(budget: Budget, projection: Projection, fits: int | None) -> str:
    """``within``, or ``exceeds`` with a projection; ``fits`` is how many rows do."""
    verb = "peaked" if projection.measured else "would peak"
    size = format_interval(projection.low, projection.value, projection.high)
    return (
        f"{budget.subject} {verb} at {size} with {budget.counted(budget.rows)} rows; "
        f"the limit is {format_size(budget.limit)}.{_fits(budget, projection.value, fits)}"
    )


def passed_limit(budget: Budget, sample: Sample, fits: int | None) -> str:
    """``exceeds``: a sample took more than the limit, and the others tell no more."""
    rows = format_rows(sample.rows[budget.counted_model])
    end = f"{rows} of {budget.counted(budget.rows)} rows.{_fits(budget, sample.run.peak, fits)}"
    return f"{budget.subject} {_passed(budget, sample)} with {end}"


def passed_limit_on_few_rows(budget: Budget, sample: Sample) -> str:
    """``exceeds``: a dry run took more than the limit."""
    return f"{budget.subject} {_passed(budget, sample)} {on_rows(sample)}."


def exceeds_with_nothing_to_apply(budget: Budget, peak: int) -> str:
    return (
        f"{budget.subject} can't fit: manage.py migrate peaks at {format_size(peak)} with nothing "
        f"to apply, and the limit is {format_size(budget.limit)}."
    )


def sets_peak(label: str) -> str:
    """Of several migrations, or of a receiver, to be added to the others."""
    if label.startswith("the "):
        label = f"The {label.removeprefix('the ')}"
    return f"{label} sets the peak."


def takes(projection: Projection) -> str:
    """To be added where a sample did not end in time, or where more rows take ever longer."""
    least = "at least" if math.isinf(projection.high) else "about"
    return f"It would take {least} {format_seconds(projection.value)}."


def without_rows(receivers: Sequence[str]) -> str:
    """``within``, to be added: receivers load rows that were not seeded for the migration."""
    names = " and ".join(receivers)
    return f"Rows that receivers load in each migrate are not included: {names}."


def assumes(what: Sequence[str]) -> str:
    """``inconclusive``, to be added: rows were seeded with what the migration filters by."""
    return (
        f"This assumes that {' and '.join(what)}, which the migration filters by; the share in "
        "production is unknown. Take the profile with --shares, or set it with seed=."
    )


def by_profile(shares: str, profile: str | None) -> str:
    """To be added where production's share of the rows is known that the migration filters by."""
    return f"By {Path(profile or 'the profile').name}, {shares}."


def sentence(budget: Budget, text: str, migration: str = "") -> str:
    """``inconclusive`` with what a gap says, or ``within`` with why no rows are needed."""
    return f"{_one_of(budget, migration)} {text}."


def others(label: str, peak: float) -> str:
    """``inconclusive`` because of one of several migrations, to be added: the highest other."""
    return f"The others would peak at up to {format_size(peak)} ({label})."


def unclear(
    budget: Budget,
    projection: Projection,
    samples: Sequence[Sample],
    larger: tuple[int, int] | None,
) -> str:
    """``inconclusive``: the limit lies inside the interval, or too few samples were had.

    ``larger`` are the rows of a sample that would tell more, and the time budget for it.
    """
    size = format_interval(projection.low, projection.value, projection.high)
    measured = largest_sample(budget, samples, larger)
    fit = "may or may not fit"
    if projection.high < budget.limit:
        fit = "seems to fit, but there were too few samples to be sure"
    elif projection.low > budget.limit:
        fit = "seems not to fit, but there were too few samples to be sure"
    return (
        f"{budget.subject} {fit}: it would peak at {size} with {budget.counted(budget.rows)} rows, "
        f"the limit is {format_size(budget.limit)}, and {measured}."
    )


def largest_sample(
    budget: Budget, samples: Sequence[Sample], larger: tuple[int, int] | None
) -> str:
    """How many rows the last sample had, or why it did not end; ``larger`` is that of unclear()."""
    done = finished(samples)
    last = done[-1] if samples[-1].finished else samples[-1]
    rows = format_rows(last.rows[budget.counted_model])
    if last.finished and last.crowded:
        measured = f"the largest sample that fits on the disk had {rows} rows"
    elif last.finished:
        seconds = format_seconds(budget.time_budget)
        measured = f"the largest sample within the time budget of {seconds} had {rows} rows"
    else:
        measured = f"with {rows} rows {_why(last)}"
    return f"{measured}{_would_allow(larger)}"


def near_limit(budget: Budget, peak: int) -> str:
    """``inconclusive``: a dry run came too close to the limit."""
    return (
        f"{budget.subject} may or may not fit: it peaked at {format_size(peak)} with few "
        f"rows or none, too close to the limit of {format_size(budget.limit)} to be sure."
    )


def not_judged(budget: Budget, last: Sample, larger: tuple[int, int] | None) -> str:
    """``inconclusive``: no projection can be made; ``larger`` is that of ``unclear``."""
    return f"{budget.subject} could not be judged: {_why(last)}{_would_allow(larger)}."


TOO_LARGE = {
    FindingCode.TOO_MANY_PARAMETERS: (
        "a parameter for each row, which exceeds the database's limit"
    ),
    FindingCode.STATEMENT_TOO_LONG: (
        "a part for each row, which exceeds the server's max_allowed_packet"
    ),
}
"""What a statement has that breaks."""


def breaks(budget: Budget, rows: int, code: FindingCode) -> str:
    """``inconclusive``: it breaks before production's row count."""
    return (
        f"{budget.subject} would fail with about {format_rows(rows)} {budget.counted_model} rows: "
        f"one of its statements has {TOO_LARGE[code]}."
    )


def processes_not_followed(budget: Budget, processes: int) -> str:
    """``inconclusive``: which tables its child processes access is not known."""
    return (
        f"{budget.subject} ran {processes} processes, and not all tables that they access are "
        "known; write a test with the marker and rows=."
    )


def too_few_rows_to_matter(budget: Budget, rows: Mapping[str, int]) -> str:
    """``within``: the tables that it accesses are small in production, or it accesses none."""
    if not rows:
        return f"{budget.subject} accesses no table whose size affects memory."
    each = ", ".join(f"{format_rows(count)} {model}" for model, count in rows.items())
    return f"{budget.subject} accesses only tables with too few rows to affect memory: {each}."


def broke(budget: Budget, samples: Sequence[Sample]) -> str:
    """``error``: the last sample raised or was killed."""
    last, worked = samples[-1], [sample for sample in samples if sample.finished]
    verb = "raised" if last.run.outcome == Outcome.RAISED else "failed"
    label = _one_of(budget, last.run.last_migration)
    text = f"{label} {verb} with {budget.counted(last.rows)} rows: {last.run.failure}"
    if worked:
        text += f" (it succeeded with {format_rows(worked[-1].rows[budget.counted_model])} rows)"
    return text


def broke_on_few_rows(budget: Budget, run: Run, *, empty: bool) -> str:
    """``error``: a dry run raised or was killed."""
    label = _one_of(budget, run.last_migration)
    return f"{label} failed on {'empty tables' if empty else 'a few rows'}: {run.failure}"


def never_ended(budget: Budget, stopped: Sample) -> str:
    """``error``: too few samples ended, and this one was stopped at its deadline."""
    rows = budget.counted(stopped.rows)
    return f"{budget.subject} timed out with {rows} rows: {stopped.run.failure}."


def out_of_time(budget: Budget, before: float, needed: float) -> str:
    """``inconclusive``: what comes before the samples left too little time for them."""
    spent = format_seconds(round(min(before, budget.time_budget)))
    seconds = math.ceil(needed / 10) * 10
    return (
        f"{budget.subject} could not be judged: {spent} of the time budget of "
        f"{format_seconds(budget.time_budget)} passed before the first sample, and the rest was "
        f"too short for one; time_budget={seconds} would allow some."
    )


def not_measured(budget: Budget, problem: str) -> str:
    """``error``: the check itself failed."""
    return f"{budget.subject}: {problem}"


def on_rows(sample: Sample) -> str:
    """``"with 20 shop.Order rows"``."""
    if not sample.rows:
        return "on empty tables"
    return "with " + ", ".join(f"{format_rows(n)} {label} rows" for label, n in sample.rows.items())


def _one_of(budget: Budget, migration: str) -> str:
    """The migrations, or first the one of several that a sentence is about."""
    if migration and len(budget.migrations) > 1:
        return f"{migration}, of {budget.subject},"
    return budget.subject


def _would_allow(larger: tuple[int, int] | None) -> str:
    if larger is None:
        return ""
    rows, seconds = larger
    one = f"one of {format_rows(rows)} rows"
    return f"; time_budget={seconds} would allow {one}, which would tell more"


def _passed(budget: Budget, sample: Sample) -> str:
    if sample.finished:
        peak = format_size(sample.run.peak)
        return f"peaked at {peak}, over the limit of {format_size(budget.limit)},"
    return f"passed the limit of {format_size(budget.limit)}"


def _fits(budget: Budget, peak: float, fits: int | None) -> str:
    if fits is None or peak < budget.limit:
        return ""
    if fits == 0:
        return " It does not fit at any row count that was measured."
    return f" It fits up to {format_rows(round_rows_down(fits))} rows."


def _why(sample: Sample) -> str:
    if sample.run.outcome == Outcome.MACHINE_SHORT:
        return f"{sample.run.failure} at {format_size(sample.run.peak)}"
    if sample.run.outcome == Outcome.TIMED_OUT:
        return sample.run.failure
    return "the time budget allowed only one sample"
