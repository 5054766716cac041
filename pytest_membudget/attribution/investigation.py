"""Why a peak grows: two runs under memray, one that is observed, and some with a change made.

The lines come first, and the trials last: an explanation ends with the time that it is given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pytest_membudget.attribution.advice import advise
from pytest_membudget.attribution.case import WORTH, Case
from pytest_membudget.attribution.flamegraph import pack
from pytest_membudget.attribution.growth import HighWater, Stack, growth
from pytest_membudget.attribution.lines import growth_by_line, note
from pytest_membudget.attribution.runs import Runs, SameData, Unfinished
from pytest_membudget.attribution.sites import sites
from pytest_membudget.attribution.time_left import OBSERVED, TimeLeft
from pytest_membudget.attribution.trials import Trial, Trials, described, rewrites_to_try
from pytest_membudget.database.engine import engine_of
from pytest_membudget.errors import MembudgetError
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.explanation import Attribution
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.processes.messages.job import Rewrite
from pytest_membudget.project.ownership import Ownership
from pytest_membudget.units import format_rows

Progress = Callable[[str], None]

_LINES, _ADVICE = "growth by line and advice", "advice"


def investigate(
    assessment: Assessment, runs: Runs, progress: Progress, mixed: str | None
) -> Attribution:
    """Look again; ``mixed`` is the file of a migration that changes the schema and the data."""
    found = Attribution()
    try:
        with runs.time.bound(_LINES):
            found = _attribution(assessment, runs, progress, mixed)
    except Exception as error:  # the verdict stands, whatever goes wrong in explaining it
        what = str(error) if isinstance(error, MembudgetError) else repr(error)
        found = Attribution(
            attribution_note=f"the cause of the growth could not be determined: {what}"
        )
    return replace(found, attribution_note=_joined(found.attribution_note, runs.time.note()))


def _joined(*notes: str | None) -> str | None:
    return "; ".join(filter(None, notes)) or None


def _attribution(
    assessment: Assessment, runs: Runs, progress: Progress, mixed: str | None
) -> Attribution:
    evidence, time = assessment.evidence, runs.time
    budget, projection = evidence.budget, assessment.estimate.projection
    stacks, size = _growing(runs, runs.size(), budget.share, progress)
    measured, curved = None, (None, Growth.QUADRATIC, Growth.LINEARITHMIC)
    if projection is not None and projection.growth not in curved:
        # Bytes a row of the counted model, with any rows.
        measured = projection.slope / budget.share or None
    case = Case(
        assessment=assessment,
        by_site=sites(stacks, Ownership(runs.folders), engine_of(str(evidence.database.vendor))),
        measured=measured or sum(stack.bytes_per_row for stack in stacks),
        peak=None if projection is None else projection.value,
        baseline=evidence.samples[0].run.baseline or 0,
        sample=evidence.samples[-1],
        mixed=mixed,
    )
    advice, problem = [], None
    if time.allows(_ADVICE, time.run(size, OBSERVED)):
        try:
            with time.bound(_ADVICE):
                case = _observed(case, runs, size, progress)
                advice = advise(case, _trials(case, runs, progress))
        except MembudgetError as error:
            problem = f"there is no advice: {error}"
    found = growth_by_line(case, size, measured)
    return Attribution(
        attribution=tuple(found),
        advice=tuple(advice),
        attribution_note=_joined(note(found, measured), problem),
        stacks=pack(stacks, budget.rows[budget.counted_model]),
    )


def _growing(runs: Runs, size: int, share: float, progress: Progress) -> tuple[list[Stack], int]:
    """What grows between two runs under memray, and the rows of the larger one.

    ``share`` is that of the counted rows.  The smaller one comes first; where it took longer than
    expected, it becomes the larger one.
    """

    def captured(rows: int) -> HighWater:
        progress(f"running the migration under memray with {format_rows(rows)} rows")
        return runs.captured(rows)

    half, left = max(1, size // 2), runs.time.deadline.left()
    runs.start_anew()
    found = captured(half)
    took = left - runs.time.deadline.left()
    if 2 * took > runs.time.deadline.left() and half > 1:
        runs.time.note_rows(half, size)
        size, half = half, half // 2
        before, after = captured(half), found
    else:
        before, after = found, captured(size)
    return growth(before, after, round((size - half) * share) or 1), size


def _observed(case: Case, runs: Runs, size: int, progress: Progress) -> Case:
    """With what the migration does with so many loaded rows."""
    progress("recording what the migration does with the loaded rows")
    run, digest = runs.run(size, digest=True, observe=True)
    assert run.observed is not None, "it was asked for"
    rows_read, sample = sum(run.read.values()), runs.sample(size)
    return replace(case, observed=run.observed, digest=digest, rows_read=rows_read, sample=sample)


def _trials(case: Case, runs: Runs, progress: Progress) -> Trials:
    """Each change that leaves the same data and saves something, measured twice."""
    sample, same, time = case.sample, SameData(case.digest), runs.time
    worth = WORTH * (sample.run.peak - case.baseline)
    rewrites, peaks = rewrites_to_try(case), {}
    for rewrite in _with_time(rewrites, sample.size, time, progress):
        with contextlib.suppress(Unfinished), time.bound(described(rewrite)):
            run, digest = runs.run(sample.size, digest=True, rewrites=[rewrite])
            once = sum(run.read.values()) <= 1.5 * case.rows_read
            saves = once and run.peak < sample.run.peak - worth
            if saves and same.as_in(digest, lambda: runs.run(sample.size, digest=True)[1]):
                peaks[rewrite] = run.peak
    held = runs.larger_sample(sample)
    size = held.size if held.size > sample.size else 2 * sample.size
    trials = []
    for rewrite in _with_time([*peaks], size, time, progress):
        with contextlib.suppress(Unfinished), time.bound(described(rewrite)):
            run, _ = runs.run(size, digest=True, rewrites=[rewrite])
            small = sample.size, peaks[rewrite]
            trials.append(Trial(rewrite, *small, size, run.peak, held.size, held.run.peak))
    return Trials(trials, [one for one in rewrites if described(one) in time.left_out])


def _with_time(
    rewrites: Sequence[Rewrite], size: int, time: TimeLeft, progress: Progress
) -> Iterator[Rewrite]:
    """Those that there is time for when it is their turn, with so many rows."""
    for rewrite in rewrites:
        if time.allows(described(rewrite), time.run(size)):
            progress(described(rewrite))
            yield rewrite
