"""Changes that a worker can make by itself, and the advice that comes of those that help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_membudget.attribution.case import WORTH, WORTH_TRYING, Case, where
from pytest_membudget.attribution.lines import HELD_BY_CACHE, HELD_BY_STREAM, WHEN_CLAUSES
from pytest_membudget.attribution.trial import Trial
from pytest_membudget.judge.explanation import Advice, AdviceCode
from pytest_membudget.processes.messages.job import BATCHES, DEFER, STREAM, Rewrite
from pytest_membudget.project.ownership import short_path
from pytest_membudget.sample.observed import LoadedRows
from pytest_membudget.units import format_rows, format_size


def rewrites_to_try(case: Case) -> list[Rewrite]:
    """Those that a worker can make by itself, each where its condition holds."""
    rewrites: list[Rewrite] = []
    if not case.grows_on:
        return rewrites
    if case.streams:
        rewrites += [Rewrite(STREAM, *at) for at in case.grows(HELD_BY_CACHE)]
    rewrites += [Rewrite(BATCHES, *at) for at in case.grows(WHEN_CLAUSES)]
    held = case.grows(HELD_BY_CACHE, HELD_BY_STREAM, least=WORTH_TRYING)
    for loaded in case.observed.querysets:
        at = loaded.file, loaded.line
        unread = _unread(case, loaded)
        if at in held and unread:
            rewrites.append(Rewrite(DEFER, *at, columns=tuple(unread)))
    return rewrites


def of_trials(case: Case, trials: Sequence[Trial]) -> Iterator[Advice]:
    for trial in trials:
        share = case.assessment.estimate.scale.share
        saved = trial.saved(case.measured * share) / share
        if saved < WORTH * case.measured:
            continue
        rewrite = trial.rewrite
        code, message = _words(case, rewrite)
        changed, unchanged = format_size(trial.changed_peak), format_size(trial.unchanged_peak)
        evidence = (
            f"tried: with {format_rows(trial.unchanged_rows)} rows the migration peaked at "
            f"{changed} instead of {unchanged} and wrote the same data"
        )
        yield Advice(
            code=code,
            message=message,
            evidence=evidence,
            file=short_path(rewrite.file),
            line=rewrite.line,
            bytes_per_row=round(saved),
            peak_bytes=trial.peak(case.evidence.ladder.rows, case.peak),
            tried=True,
        )


def _words(case: Case, rewrite: Rewrite) -> tuple[AdviceCode, str]:
    place = where(rewrite.file, rewrite.line)
    if rewrite.kind == STREAM:
        return AdviceCode.ITERATOR, (
            f"{place} keeps every object in the result cache of its queryset: loop over "
            ".iterator() instead, which keeps none"
        )
    if rewrite.kind == BATCHES:
        return AdviceCode.OWN_BATCHES, _about_batches(case, rewrite.file, rewrite.line)
    loaded = next(
        one
        for one in case.observed.querysets
        if (one.file, one.line) == (rewrite.file, rewrite.line)
    )
    widths = case.sample.widths.get(loaded.model, {})
    columns = ", ".join(
        f"{name} ({widths[name]:,} bytes)" if name in widths else name for name in rewrite.columns
    )
    names = ", ".join(f'"{name}"' for name in rewrite.columns)
    return AdviceCode.DEFER, (
        f"{place} fetches columns of {loaded.model} that nothing reads: {columns}. "
        f"Leave them out with .defer({names})"
    )


def _about_batches(case: Case, file: str, line: int) -> str:
    calls = [one for one in case.observed.bulk_updates if (one.file, one.line) == (file, line)]
    sized = any(one.batch_size for one in calls)
    text = (
        f"bulk_update at {where(file, line)} builds a WHEN clause for each object before it sends "
        "its first statement"
    )
    text += ", and batch_size only splits the statements" if sized else ""
    return f"{text}: call it once for each thousand objects"


def _unread(case: Case, loaded: LoadedRows) -> list[str]:
    read = set(case.observed.read.get(loaded.model, []))
    return [name for name in loaded.columns if name not in read and name not in ("id", "pk")]
