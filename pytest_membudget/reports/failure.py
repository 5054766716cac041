"""The text of a failed check: its first line says everything, the rest why and what to do."""

from __future__ import annotations

import textwrap

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.chart import chart
from pytest_membudget.reports.tables import attribution_table, render, samples_table
from pytest_membudget.texts import log_text, visible

_CHART_WIDTH, _TEXT_WIDTH = 72, 100
_TOP_LINES = 5


def failure(result: Result, *, width: int = 80, verbosity: int = 0, unicode: bool = True) -> str:
    """The failure of a result, of plain lines no wider than ``width`` but for the first.

    With ``verbosity`` there are the samples, the library's frames and every finding as well.
    """
    width = min(width, _TEXT_WIDTH)
    parts = [
        [result.reason],
        chart(result, min(width, _CHART_WIDTH), unicode=unicode),
        render(samples_table(result), width) if verbosity > 0 and result.samples else [],
        _growth(result, width, everything=verbosity > 0),
        _advice(result, width),
        _notes(result, width, everything=verbosity > 0 or result.verdict == Verdict.INCONCLUSIVE),
        result.details.rstrip().splitlines(),
    ]
    text = "\n\n".join("\n".join(lines) for lines in parts if lines)
    return log_text(visible(text))


def _growth(result: Result, width: int, *, everything: bool) -> list[str]:
    note = result.attribution_note
    if not result.attribution:
        return _wrapped(f"growth by line: {note}", width) if note else []
    lines = result.attribution if everything else cells.by_line(result.attribution)
    shown = lines if everything else lines[:_TOP_LINES]
    table = render(attribution_table(shown, frames=everything), width)
    left = len(lines) - len(shown)
    more = [f"and {left} more with -v"] if left else []
    return ["growth by line", *table, *more, *(_wrapped(note, width) if note else [])]


def _advice(result: Result, width: int) -> list[str]:
    shown = []
    for advice in result.advice:
        shown += _wrapped(f"advice: {advice.message}", width)
        shown += _wrapped(f"  {cells.support(advice)}", width)
    return shown


def _notes(result: Result, width: int, *, everything: bool) -> list[str]:
    messages = cells.noted(result, everything=everything)
    return [line for message in messages for line in _wrapped(f"note: {message}", width)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
