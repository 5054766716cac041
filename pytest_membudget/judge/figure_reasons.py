"""The sentences of a verdict on a figure beside the peak, as reasons.py has those on the peak."""

from __future__ import annotations

from pytest_membudget.budget.request import Budget
from pytest_membudget.judge.limited_figure import LimitedFigure
from pytest_membudget.judge.projection import Projection
from pytest_membudget.judge.reasons import largest_sample, on_rows
from pytest_membudget.sample import Sample
from pytest_membudget.units import format_rows, round_rows_down


def passes(figure: LimitedFigure, projection: Projection) -> str:
    """``exceeds`` with a projection."""
    budget = figure.evidence.budget
    took = f"{_amount(figure, projection)}{_with_rows(budget)}"
    return f"{budget.subject} {took}; {_limit(figure)}.{_fits(figure)}"


def passed(figure: LimitedFigure, sample: Sample) -> str:
    """``exceeds``: a sample took more."""
    budget, wording = figure.evidence.budget, figure.wording
    amount = wording.amount(figure.of_sample(sample) or 0)
    took = wording.did.format(amount if sample.finished else f"more than {amount}")
    where = on_rows(sample)
    if budget.rows:
        rows = format_rows(sample.rows[budget.counted_model])
        where = f"with {rows} of {budget.counted(budget.rows)} rows"
    return f"{budget.subject} {took} {where}; {_limit(figure)}.{_fits(figure)}"


def holds(figure: LimitedFigure, projection: Projection) -> str:
    """``within``, to be added."""
    return f"It {_amount(figure, projection)}; {_limit(figure)}."


def unclear(figure: LimitedFigure, projection: Projection, larger: tuple[int, int] | None) -> str:
    """``inconclusive``: the limit lies inside the interval, or too few samples were had."""
    budget, limit, wording = figure.evidence.budget, figure.limit or 0, figure.wording
    fit = f"may or may not {wording.fit}"
    if projection.high < limit:
        fit = f"seems to {wording.fit}, but there were too few samples to be sure"
    elif projection.low > limit:
        fit = f"seems not to {wording.fit}, but there were too few samples to be sure"
    took = f"{_amount(figure, projection)}{_with_rows(budget)}"
    largest = ""
    if budget.rows:
        largest = f", and {largest_sample(budget, figure.evidence.samples, larger)}"
    return f"{budget.subject} {fit}: it {took}, {_limit(figure)}{largest}."


def unknown(figure: LimitedFigure, larger: tuple[int, int] | None) -> str:
    """``inconclusive``: no projection can be made, or the memory of the server can't be seen."""
    budget = figure.evidence.budget
    why = figure.unknown or largest_sample(budget, figure.evidence.samples, larger)
    return f"{budget.subject} may or may not {figure.wording.fit}: {_limit(figure)}, and {why}."


def _with_rows(budget: Budget) -> str:
    return f" with {budget.counted(budget.rows)} rows" if budget.rows else " on few rows or none"


def _amount(figure: LimitedFigure, projection: Projection) -> str:
    wording = figure.wording
    verb = wording.did if projection.measured else wording.would
    return verb.format(wording.interval(projection.low, projection.value, projection.high))


def _limit(figure: LimitedFigure) -> str:
    return f"{figure.wording.limit} is {figure.wording.amount(figure.limit or 0)}"


def _fits(figure: LimitedFigure) -> str:
    fits = figure.fits
    if not fits:
        return ""
    return f" It {figure.wording.fits} up to {format_rows(round_rows_down(fits))} rows."
