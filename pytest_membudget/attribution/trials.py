"""Changes that a worker can make by itself, and the advice that comes of those that help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_membudget.attribution.case import WORTH, WORTH_TRYING, Case, located, where
from pytest_membudget.attribution.sites import HELD_BY_CACHE, HELD_BY_STREAM, WHEN_CLAUSES
from pytest_membudget.judge.explanation import Advice, AdviceCode
from pytest_membudget.judge.growth_fit import REPEATABILITY
from pytest_membudget.processes.messages.job import BATCHES, DEFER, STREAM, Rewrite
from pytest_membudget.sample.observed import LoadedRows
from pytest_membudget.units import format_rows, format_size

_NAMED_COLUMNS = 5
_CHANGES = {STREAM: "iterator()", BATCHES: "batches of bulk_update()", DEFER: "defer()"}


@dataclass(frozen=True)
class Trial:
    """Peaks in bytes with the change made, at two row counts.

    ``unchanged_peak`` is the one without it, with ``unchanged_rows``: one of the two.
    """

    rewrite: Rewrite
    small_rows: int
    small_peak: int
    large_rows: int
    large_peak: int
    unchanged_rows: int
    unchanged_peak: int

    @property
    def changed_peak(self) -> int:
        """The one to hold against ``unchanged_peak``."""
        return self.large_peak if self.unchanged_rows == self.large_rows else self.small_peak

    def saved(self, slope: float) -> float:
        """Bytes a row, of the ``slope`` without the change; the larger of two estimates.

        With few rows what every process has still fills up, which the difference of two peaks
        cancels; a chunk that every stream has lies in that difference, and not in a slope.
        """
        difference = (self.unchanged_peak - self.changed_peak) / self.unchanged_rows
        return min(slope, max(difference, slope - self._slope()))

    def peak(self, rows: int, unchanged: float | None) -> int:
        """What would remain at so many rows, where the peak is ``unchanged`` without the change."""
        line = self.large_peak + self._slope() * max(0, rows - self.large_rows)
        if unchanged is None:
            return round(line)
        difference = (self.unchanged_peak - self.changed_peak) / self.unchanged_rows
        return round(min(line, max(self.large_peak, unchanged - difference * rows)))

    def _slope(self) -> float:
        """Bytes a row; 0 where the two differ by no more than two runs of the same do."""
        grown = self.large_peak - self.small_peak
        if grown <= 2 * REPEATABILITY:
            return 0.0
        return grown / (self.large_rows - self.small_rows)


@dataclass(frozen=True)
class Trials:
    """Those that ``helped``, and the changes that there was no time to try."""

    helped: Sequence[Trial]
    untried: Sequence[Rewrite] = ()

    def may_stream(self, at: tuple[str, int]) -> bool:
        """Whether streaming the rows of a line helped, or was not tried."""
        changes = [one.rewrite for one in self.helped] + [*self.untried]
        return any(one.kind == STREAM and (one.file, one.line) == at for one in changes)


def described(rewrite: Rewrite) -> str:
    """A trial in a few words."""
    return f"trying {_CHANGES[rewrite.kind]} at {where(rewrite.file, rewrite.line)}"


def rewrites_to_try(case: Case) -> list[Rewrite]:
    """Those that a worker can make by itself, each where its condition holds."""
    if not case.grows_on:
        return []
    rewrites = []
    if case.streams:
        rewrites += [Rewrite(STREAM, *at) for at in case.grows(HELD_BY_CACHE)]
    rewrites += [Rewrite(BATCHES, *at) for at in case.grows(WHEN_CLAUSES)]
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=WORTH_TRYING)
    for loaded in case.observed.querysets:
        at, read = (loaded.file, loaded.line), case.observed.read.get(loaded.model, [])
        unread = tuple(name for name in loaded.columns if name not in {*read, "id", "pk"})
        if at in held and unread:
            rewrites.append(Rewrite(DEFER, *at, columns=unread, model=loaded.model))
    return rewrites


def of_trials(case: Case, trials: Trials) -> Iterator[Advice]:
    for trial in trials.helped:
        share = case.assessment.evidence.budget.share
        saved = trial.saved(case.measured * share) / share
        if saved < WORTH * case.measured:
            continue
        changed, unchanged = format_size(trial.changed_peak), format_size(trial.unchanged_peak)
        yield Advice(
            *_words(case, trial.rewrite),
            f"tried: with {format_rows(trial.unchanged_rows)} rows the migration peaked at "
            f"{changed} instead of {unchanged} and wrote the same data",
            *located(trial.rewrite.file, trial.rewrite.line),
            bytes_per_row=round(saved),
            peak_bytes=trial.peak(case.evidence.ladder.rows, case.peak),
            tried=True,
        )


def _words(case: Case, rewrite: Rewrite) -> tuple[AdviceCode, str]:
    at = rewrite.file, rewrite.line
    place = where(*at)
    if rewrite.kind == STREAM:
        prefetches = any(one.prefetched for one in case.observed.querysets if _is_at(one, at))
        call = ".iterator(chunk_size=2000)" if prefetches else ".iterator()"
        others = ", and prefetches for one chunk at a time" if prefetches else ""
        return AdviceCode.ITERATOR, (
            f"{place} keeps every object in the result cache of its queryset: loop over "
            f"{call} instead, which keeps none{others}"
        )
    if rewrite.kind == BATCHES:
        calls = [one for one in case.observed.bulk_updates if (one.file, one.line) == at]
        sized = any(one.batch_size for one in calls)
        return AdviceCode.OWN_BATCHES, (
            f"bulk_update at {place} builds a WHEN clause for each object before it sends its "
            f"first statement{', and batch_size only splits the statements' if sized else ''}: "
            "call it once for each thousand objects"
        )
    loaded = next(
        one for one in case.observed.querysets if _is_at(one, at) and one.model == rewrite.model
    )
    widths = case.sample.widths.get(loaded.model, {})
    by_width = sorted(rewrite.columns, key=lambda name: -widths.get(name, 0))
    columns = ", ".join(
        f"{name} ({widths[name]:,} bytes)" if name in widths else name
        for name in by_width[:_NAMED_COLUMNS]
    )
    if more := len(by_width[_NAMED_COLUMNS:]):
        columns += f" and {more} more"
    read = [one for one in loaded.columns if one not in {*rewrite.columns, "id"}] or ["pk"]
    only = len(read) < len(rewrite.columns)
    names = ", ".join(f'"{name}"' for name in (read if only else rewrite.columns))
    change = f".{'only' if only else 'defer'}({names})"
    if loaded.prefetched:
        change = f"Prefetch(…, queryset={loaded.model.rpartition('.')[2]}.objects{change})"
    return AdviceCode.DEFER, (
        f"{place} fetches columns of {loaded.model} that nothing reads: {columns}. "
        f"Leave them out with {change}"
    )


def _is_at(loaded: LoadedRows, at: tuple[str, int]) -> bool:
    return (loaded.file, loaded.line) == at
