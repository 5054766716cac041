"""Growth by line, as shares of the growth that was measured."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import asdict

from pytest_membudget.attribution.case import Case
from pytest_membudget.attribution.growth import Frame
from pytest_membudget.attribution.sites import CLIENT_RESULT
from pytest_membudget.judge.explanation import Line, Place
from pytest_membudget.judge.figures import MOST_SHARE
from pytest_membudget.project.ownership import short_path

_MUST_EXPLAIN = 0.85
# A result of fewer rows is a page.
_WHOLE_TABLE = 0.5
_LEAST_SHARE = 0.01
_ALLOCATORS = "rounded sizes, pools, arenas, and freed memory that is kept"
_HELD = "held by {} for the statement and its result; freed since, but not returned to the system"


def growth_by_line(case: Case, size: int, measured: float | None) -> list[Line]:
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


def note(found: Sequence[Line], measured: float | None) -> str | None:
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
