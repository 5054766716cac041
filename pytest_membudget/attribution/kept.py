"""Advice where the migration's own code keeps all rows: in a list, a dict or for one call."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_membudget.attribution.case import HALF, Case, located, where
from pytest_membudget.attribution.sites import (
    COPIES,
    HELD_BY_CACHE,
    HELD_BY_STREAM,
    IN_BULK,
    OTHER,
)
from pytest_membudget.attribution.trials import Trials
from pytest_membudget.judge.explanation import Advice, AdviceCode

# Less than this share of the growth is not what the migration is killed by.
_MUCH = 0.25
_NEXT_PAGE = 'filter(pk__gt=last).order_by("pk")[:1000]'


def of_kept_rows(case: Case, trials: Trials) -> Iterator[Advice]:
    """Where neither iterator() alone nor pages of one bulk_update would end it."""
    if case.updates_at_once or not case.streams:
        return
    words = {
        IN_BULK: (
            AdviceCode.PAGES,
            "{} keeps all objects in the dict of in_bulk(): read a page of keys at a time, and "
            "call in_bulk() for these",
        ),
        HELD_BY_CACHE: (
            AdviceCode.PAGES,
            "{} keeps all rows until the end: read them a page at a time, for instance with "
            f"{_NEXT_PAGE}, and finish each page before the next",
        ),
        HELD_BY_STREAM: (
            AdviceCode.KEEP_LESS,
            "{} streams the rows, but what the loop stores of them stays: finish each row when it "
            "comes, or store the few columns that are needed; to group rows, order_by() the key "
            "and use itertools.groupby(), which keeps one group at a time",
        ),
    }
    for cause, (code, message) in words.items():
        for at, saved in case.grows(cause, least=_MUCH).items():
            if not trials.may_stream(at) and case.is_of_orm(at):
                yield _advice(case, code, message.format(where(*at)), at, saved)


def of_bulk_creates(case: Case) -> Iterator[Advice]:
    """Where objects are collected for one call of bulk_create."""
    saved = case.total(COPIES) + case.total(OTHER) + case.total(HELD_BY_STREAM)
    calls = [call for call in case.observed.bulk_creates if call.rows >= HALF * case.sample.size]
    if not calls or saved < _MUCH * case.measured:
        return
    call = max(calls, key=lambda call: call.rows)
    at = call.file, call.line
    sized = ", and batch_size only splits the statements" if call.batch_size else ""
    message = (
        f"bulk_create at {where(*at)} gets all objects at once{sized}: call it for each thousand, "
        "while the rows are streamed, and clear the list"
    )
    yield _advice(case, AdviceCode.OWN_BATCHES, message, at, saved)


def _advice(
    case: Case, code: AdviceCode, message: str, at: tuple[str, int], saved: float
) -> Advice:
    evidence = f"{saved:,.0f} bytes a row are held there"
    return Advice(code, message, evidence, *located(*at), round(saved), case.remaining(saved))
