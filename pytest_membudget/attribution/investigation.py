"""The runs that say why a peak grows: two under memray, one observed, and one a change tried."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_membudget.attribution.advice import WORTH, Case, advise, changes_to_try
from pytest_membudget.attribution.flamegraph import pack
from pytest_membudget.attribution.growth import growth
from pytest_membudget.attribution.lines import Scale, lines, sites
from pytest_membudget.attribution.records import HighWater, high_water
from pytest_membudget.attribution.trial import Change, Trial
from pytest_membudget.errors import MembudgetError
from pytest_membudget.evidence import Evidence
from pytest_membudget.frames import Ownership
from pytest_membudget.measurement import Run, Sample
from pytest_membudget.projection import MIB
from pytest_membudget.result import Attribution
from pytest_membudget.seedbed import Seedbed
from pytest_membudget.units import format_rows
from pytest_membudget.worker.launcher import Order, run

# memray records some million allocations a second; a run under it takes about four times as long.
# Pages and chunks of some thousand rows have to be full, so a smaller one may take longer.
_LONGEST_SECONDS = {8_000: 6.0, 50_000: 2.5, sys.maxsize: 0.5}
_LONGEST_TRIAL = 10.0
# A result of fewer rows is a page.
_WHOLE_TABLE = 0.5
_MUST_EXPLAIN = 0.85
_ROOM = 4
_SPARE_BYTES = 1024 * MIB

MakeOrder = Callable[..., Order]


class Unfinished(MembudgetError):
    """A run of the investigation did not end well; the message says how."""


@dataclass
class Investigation:
    """One migration, looked at again at row counts that were measured.

    ``files`` are those of its migrations; ``order`` makes what the worker has to do on a clone.
    """

    evidence: Evidence
    bed: Seedbed
    files: list[str]
    order: MakeOrder
    progress: Callable[[str], None]
    _bed_size: int = field(default=0, init=False)

    def attribution(self) -> Attribution:
        sample = self._sample()
        if sample is None:
            return Attribution(note="no sample was quick enough to be run again under memray")
        try:
            return self._attribution(sample)
        except Exception as error:  # the verdict stands, whatever goes wrong in explaining it
            what = str(error) if isinstance(error, MembudgetError) else repr(error)
            return Attribution(note=f"why it grows could not be found out: {what}")

    def _attribution(self, sample: Sample) -> Attribution:
        self.bed.seed_fresh(self.evidence.fresh)
        large, small = sample.size, max(1, sample.size // 2)
        before = self._captured(small)
        after = self._captured(large)
        counted = self.evidence.counted_share
        stacks = growth(before, after, round((large - small) * counted) or 1)
        owned = Ownership(self._folders)
        by_site = sites(stacks, owned, str(self.evidence.database["vendor"]))
        projection = self.evidence.projection()
        measured = self._measured()
        baseline = self.evidence.samples[0].run.baseline or 0
        grown = None if projection is None else max(0.0, projection.peak - baseline)
        observed = self._observed(large)
        results = {
            (one["file"], one["line"]): one["bytes"] / large / counted
            for one in observed["results"]
            if one["rows"] >= _WHOLE_TABLE * large
        }
        found = lines(by_site, results, Scale(measured, grown))
        case = Case(
            evidence=self.evidence,
            by_site=by_site,
            measured=measured or sum(stack.bytes_per_row for stack in stacks),
            observed=observed,
            peak=None if projection is None else projection.peak,
            baseline=baseline,
            sample=sample,
        )
        trials = self._trials(case, changes_to_try(case)) if sample.finished else []
        production = self.evidence.budget.rows[self.evidence.budget.counted_model]
        return Attribution(
            lines=tuple(found),
            advice=tuple(advise(case, trials)),
            note=_note(found, measured),
            stacks=pack(stacks, production),
        )

    def _sample(self) -> Sample | None:
        """The sample to look at again: large, so that nothing of a floor is left, but quick."""
        quick = [
            sample
            for sample in self.evidence.samples
            if sample.run.duration <= _longest(sample.size)
        ]
        finished = [sample for sample in quick if sample.finished]
        return next(reversed(finished or quick), None)

    def _large_sample(self, sample: Sample) -> Sample:
        """The sample that a change is held against: with few rows its chunk may not be full."""
        return [
            one
            for one in self.evidence.finished
            if one is sample or (one.size > sample.size and one.run.duration <= _LONGEST_TRIAL)
        ][-1]

    def _measured(self) -> float | None:
        """Bytes a row of the counted model, of the process as it was measured."""
        projection = self.evidence.projection()
        if projection is None or projection.growth is None:
            return None
        if projection.growth in ("quadratic", "linearithmic"):
            return None  # its slope at production's row count is not that of the captures
        return projection.slope / self.evidence.counted_share or None

    def _captured(self, size: int) -> HighWater:
        self.progress(f"running it under memray with {format_rows(size)} rows")
        with tempfile.TemporaryDirectory(dir=self.bed.folder) as folder:
            capture = str(Path(folder, "capture"))
            children = max(sample.run.processes for sample in self.evidence.samples) > 1
            self._run(size, {"capture": capture, "children": children})
            return high_water(capture)

    def _observed(self, size: int) -> dict[str, Any]:
        self.progress("looking at what it reads")
        done, rows = self._run_with_digest(size, {"observe": True})
        return {**done.observed, "digest": rows, "read_rows": sum(done.read.values())}

    def _trials(self, case: Case, changes: list[Change]) -> list[Trial]:
        """Each change that leaves the same data and saves something, measured twice."""
        sample = case.sample
        worth = WORTH * (sample.run.peak - case.baseline)
        measured = []
        for change in changes:
            self.progress(f"trying {change.kind} at line {change.line}")
            try:
                done, rows = self._run_with_digest(sample.size, {"changes": [change.to_dict()]})
            except Unfinished:
                continue
            reads_more = sum(done.read.values()) > 1.5 * case.observed["read_rows"]
            if rows == case.observed["digest"] and not reads_more:
                measured.append((change, done.peak))
        held = self._large_sample(sample)
        size = held.size if held.size > sample.size else 2 * sample.size
        trials = []
        for change, peak in measured:
            if peak < sample.run.peak - worth:
                self.progress(f"trying {change.kind} at line {change.line}")
                with contextlib.suppress(Unfinished):
                    again = self._run(size, {"changes": [change.to_dict()]}).peak
                    trials.append(
                        Trial(change, sample.size, peak, size, again, held.size, held.run.peak)
                    )
        return trials

    def _run(self, size: int, aid: dict[str, Any]) -> Run:
        return self._run_on_clone(size, aid, digest=False)[0]

    def _run_with_digest(self, size: int, aid: dict[str, Any]) -> tuple[Run, dict[str, str]]:
        return self._run_on_clone(size, aid, digest=True)

    def _run_on_clone(
        self, size: int, aid: dict[str, Any], *, digest: bool
    ) -> tuple[Run, dict[str, str]]:
        if size != self._bed_size:
            self.bed.fill(size)
            self._bed_size = size
        name = self.bed.clone()
        peak = max(sample.run.peak for sample in self.evidence.samples)
        order = replace(
            self.order(
                self.bed,
                name,
                deadline=max(10.0, self.evidence.budget.time_budget / 2),
                stop_above=_ROOM * peak + _SPARE_BYTES,
            ),
            aid={**aid, "folders": self._folders},
        )
        try:
            done = run(order)
            if done.outcome != "finished":
                raise Unfinished(done.failure)
            return done, self.bed.digest(name) if digest else {}
        finally:
            self.bed.drop(name)

    @property
    def _folders(self) -> list[str]:
        """Of the migrations' apps."""
        return sorted({str(Path(file).parent.parent) for file in self.files})


def _longest(size: int) -> float:
    return next(seconds for rows, seconds in _LONGEST_SECONDS.items() if size <= rows)


def _note(found: Any, measured: float | None) -> str | None:
    if not found:
        return "nothing grows in the heap"
    if measured is None:
        return "its growth is not a straight line: shares are of the growth that memray saw"
    named = sum(line.share for line in found if line.kind != "allocator")
    whole = sum(line.share for line in found)
    text = f"the lines explain {named:.0%} of {measured:,.0f} bytes a row"
    text += f", {whole:.0%} with the allocator's own" if whole > named else ""
    left = 1 - whole
    if left > 0.005:
        text += f"; {left:.0%} is left unexplained"
    if named < _MUST_EXPLAIN:
        text += (
            ", memory that had been freed but not given back, of children that were not forked, or "
            "of a phase that is the highest only with more rows"
        )
    return text
