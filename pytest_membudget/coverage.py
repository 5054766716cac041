"""What the samples leave unseen: each gap is a reason why a verdict can't be ``within``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

from pytest_membudget.budget import Budget
from pytest_membudget.measurement import Sample
from pytest_membudget.units import format_rows

ASYNC_CODE = "async-code"

# With fewer of the seeded rows touched nothing can be said about a migration that touches all.
TOUCHED_TOO_FEW = 0.1
TOUCHED_HALF = 0.5
TOUCHED_ALL = 0.9


@dataclass(frozen=True)
class Gap:
    """Something that the migration did, or may do, of whose memory no sample says anything.

    ``sentence`` follows the migration's label in the first line of a failure, without a full stop:
    what was not seen, and what would show it.
    """

    code: str
    sentence: str


def gaps(
    budget: Budget, last: Sample, *, touched: float | None, unmatched: Sequence[str]
) -> list[Gap]:
    """Every gap, the gravest first.  ``last`` is the largest sample that finished.

    ``touched`` is the share of the seeded rows that it read or wrote, None where it is not expected
    to; ``unmatched`` are its statements that found no row at all, where they might have found any
    number.
    """
    return [
        *_untouched(budget, last, touched),
        *_unmatched(budget, last, unmatched),
        *_never_run(budget),
    ]


def _untouched(budget: Budget, last: Sample, touched: float | None) -> Iterator[Gap]:
    if touched is None or touched >= TOUCHED_TOO_FEW:
        return
    share = "none" if touched == 0 else f"only {touched:.0%}"
    yield Gap(
        "rows-untouched",
        f"touched {share} of the seeded rows ({_seeded(budget, last)}), so its memory says nothing "
        "about production; give rows that it works on with seed=",
    )


def _unmatched(budget: Budget, last: Sample, unmatched: Sequence[str]) -> Iterator[Gap]:
    if unmatched:
        statement = shorten(unmatched[0], 200, placeholder=" …")
        yield Gap(
            "statement-unmatched",
            f"has a statement that found none of the seeded rows ({_seeded(budget, last)}), so "
            f"nothing is known of what it loads in production: {statement}; give rows that it "
            "works on with seed=",
        )


def _never_run(budget: Budget) -> Iterator[Gap]:
    for code, message in budget.findings:
        if code == ASYNC_CODE:
            yield Gap(code, f"was not run whole: {message}")


def _seeded(budget: Budget, last: Sample) -> str:
    return f"{format_rows(last.rows[budget.counted_model])} {budget.counted_model}"
