"""Why a peak grows: two runs under memray, one that is observed, and some with a change made."""

from __future__ import annotations

import contextlib
import linecache
from collections.abc import Callable, Sequence
from dataclasses import asdict

from pytest_membudget.attribution.advice import advise
from pytest_membudget.attribution.case import WORTH, Case
from pytest_membudget.attribution.flamegraph import pack
from pytest_membudget.attribution.growth import Frame, growth
from pytest_membudget.attribution.runs import Runs, SameData, Unfinished
from pytest_membudget.attribution.sites import CLIENT_RESULT, sites
from pytest_membudget.attribution.trials import Trial, rewrites_to_try
from pytest_membudget.database.engine import engine_of
from pytest_membudget.errors import MembudgetError
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.explanation import Attribution, Line, Place
from pytest_membudget.judge.figures import MOST_SHARE
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.project.ownership import Ownership, short_path
from pytest_membudget.units import format_rows

Progress = Callable[[str], None]

_MUST_EXPLAIN = 0.85
# A result of fewer rows is a page.
_WHOLE_TABLE = 0.5
_LEAST_SHARE = 0.01
_ALLOCATORS = "rounded sizes, pools, arenas, and freed memory that is kept"
_HELD = "held by {} for the statement and its result; freed since, but not returned to the system"


def investigate(
    assessment: Assessment, runs: Runs, progress: Progress, mixed: str | None
) -> Attribution:
    """Look again; ``mixed`` is the file of a migration that changes the schema and the data."""
    size = runs.size()
    if size is None:
        note = "no sample was fast enough to be repeated under memray"
        return Attribution(attribution_note=note)
    try:
        return _attribution(assessment, runs, size, progress, mixed)
    except Exception as error:  # the verdict stands, whatever goes wrong in explaining it
        what = str(error) if isinstance(error, MembudgetError) else repr(error)
        note = f"the cause of the growth could not be determined: {what}"
        return Attribution(attribution_note=note)


def _attribution(
    assessment: Assessment, runs: Runs, size: int, progress: Progress, mixed: str | None
) -> Attribution:
    evidence, half = assessment.evidence, max(1, size // 2)
    budget, share = evidence.budget, evidence.budget.share
    projection = assessment.estimate.projection
    engine = engine_of(str(evidence.database.vendor))
    runs.start_anew()
    progress(f"running the migration under memray with {format_rows(half)} rows")
    before = runs.captured(half)
    progress(f"running the migration under memray with {format_rows(size)} rows")
    after = runs.captured(size)
    stacks = growth(before, after, round((size - half) * share) or 1)
    progress("recording what the migration does with the loaded rows")
    run, digest = runs.run(size, digest=True, observe=True)
    assert run.observed is not None, "it was asked for"
    measured, curved = None, (None, Growth.QUADRATIC, Growth.LINEARITHMIC)
    if projection is not None and projection.growth not in curved:
        # Bytes a row of the counted model, with any rows.
        measured = projection.slope / share or None
    case = Case(
        assessment=assessment,
        by_site=sites(stacks, Ownership(runs.folders), engine),
        measured=measured or sum(stack.bytes_per_row for stack in stacks),
        observed=run.observed,
        digest=digest,
        rows_read=sum(run.read.values()),
        peak=None if projection is None else projection.peak,
        baseline=evidence.samples[0].run.baseline or 0,
        sample=runs.sample(size),
        mixed=mixed,
    )
    found = _lines(case, size, measured)
    return Attribution(
        attribution=tuple(found),
        advice=tuple(advise(case, _trials(case, runs, progress))),
        attribution_note=_note(found, measured),
        stacks=pack(stacks, budget.rows[budget.counted_model]),
    )


def _lines(case: Case, size: int, measured: float | None) -> list[Line]:
    """Growth by line, largest first, that of allocators last; ``measured`` is None if curved."""
    counted = size * case.evidence.budget.share
    sums = {site: sum(one.bytes_per_row for one in stacks) for site, stacks in case.by_site.items()}
    found: list[Line] = []
    if case.measured <= 0:
        return found

    def add(place: Place, via: Place | None, kind: str, bytes_per_row: float) -> None:
        share = bytes_per_row / case.measured
        if share < _LEAST_SHARE:
            return
        grown = None if case.peak is None else max(0.0, case.peak - case.baseline)
        found.append(
            Line(
                **asdict(place),
                kind=kind,
                bytes_per_row=round(bytes_per_row),
                share=round(min(share, MOST_SHARE), 4),
                bytes=None if grown is None else round(grown * share),
                via=via,
            )
        )

    for site, held in sums.items():
        kind = "c" if site.cause == CLIENT_RESULT else "python"
        add(_place(site.own), None if site.via is None else _place(site.via), kind, held)
    # What was not alive any more, and estimates, never take more than what the lines leave.
    left = max(0.0, case.measured - sum(sums.values()))
    whole = [one for one in case.observed.results if one.rows >= _WHOLE_TABLE * size]
    results = {(one.file, one.line): one.bytes / counted for one in whole if one.file}
    for at, taken in results.items():
        there = {site: held for site, held in sums.items() if site.own[1:] == at}
        alive = sum(held for site, held in there.items() if site.cause == CLIENT_RESULT)
        freed = min(left, max(0.0, taken - alive))
        left -= freed
        of_library = Place(file="", line=None, function=_HELD.format(case.engine.client_library))
        add(_place(next((site.own for site in there), ("", *at))), of_library, "c", freed)
    found.sort(key=lambda line: -line.bytes_per_row)
    overhead = case.observed.kept_by_malloc / counted
    overhead += sum(one.overhead for stacks in case.by_site.values() for one in stacks)
    if measured is not None:
        overhead = min(overhead, left)
    add(Place(file="<allocator>", line=None, function=_ALLOCATORS), None, "allocator", overhead)
    return found


def _place(frame: Frame) -> Place:
    function, file, line = frame
    source = linecache.getline(file, line).strip()
    return Place(file=short_path(file), line=line or None, function=function, source=source)


def _trials(case: Case, runs: Runs, progress: Progress) -> list[Trial]:
    """Each change that leaves the same data and saves something, measured twice."""
    sample, same = case.sample, SameData(case.digest)
    worth = WORTH * (sample.run.peak - case.baseline)
    helped = []
    for rewrite in rewrites_to_try(case):
        progress(f"trying {rewrite.kind} at line {rewrite.line}")
        with contextlib.suppress(Unfinished):
            run, digest = runs.run(sample.size, digest=True, rewrites=[rewrite])
            once = sum(run.read.values()) <= 1.5 * case.rows_read
            saves = once and run.peak < sample.run.peak - worth
            if saves and same.as_in(digest, lambda: runs.run(sample.size, digest=True)[1]):
                helped.append((rewrite, run.peak))
    held = runs.larger_sample(sample)
    size = held.size if held.size > sample.size else 2 * sample.size
    trials = []
    for rewrite, peak in helped:
        progress(f"trying {rewrite.kind} at line {rewrite.line}")
        with contextlib.suppress(Unfinished):
            run, _ = runs.run(size, digest=True, rewrites=[rewrite])
            trials.append(
                Trial(rewrite, sample.size, peak, size, run.peak, held.size, held.run.peak)
            )
    return trials


def _note(found: Sequence[Line], measured: float | None) -> str | None:
    if not found:
        return "no heap allocation grows with the rows"
    if measured is None:
        return "the growth is not linear, so the shares are of the growth that memray recorded"
    named = sum(line.share for line in found if line.kind != "allocator")
    whole = sum(line.share for line in found)
    text = f"the lines explain {named:.0%} of {measured:,.0f} bytes a row"
    text += f", {whole:.0%} with the allocator's overhead" if whole > named else ""
    left = 1 - whole
    if left > 0.005:
        text += f"; {left:.0%} is unexplained"
    if whole < _MUST_EXPLAIN:
        text += (
            ": freed memory that was not returned to the system, memory of child processes that "
            "were not forked, or of a phase that is the highest only with more rows"
        )
    return text
