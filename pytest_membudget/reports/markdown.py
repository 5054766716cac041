"""All budgets as Markdown, for a pull request's comment or the summary of a job."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_membudget.files import unwritable
from pytest_membudget.judge.explanation import Line
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells, compare
from pytest_membudget.reports.cells import LEFT, Columns
from pytest_membudget.reports.compare import Change
from pytest_membudget.reports.noted import noted
from pytest_membudget.texts import visible

_MARKS = {
    Verdict.WITHIN: "✅",
    Verdict.EXCEEDS: "❌",
    Verdict.INCONCLUSIVE: "⚠️",
    Verdict.ERROR: "💥",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&$])")
# What makes a list or a heading at the beginning of a line.
_LEADING = re.compile(r"^(\d*)([-+=.)])")
_TOP_LINES = 10


def markdown(results: Sequence[Result]) -> str:
    """A table of all budgets, least headroom first, and below it why some of them fail."""
    title = "## Memory budgets\n"
    if not results:
        return f"{title}\nNo migration was measured.\n"
    counts = ", ".join(f"{count} {name}" for name, count in cells.verdicts(results))
    ordered = cells.by_headroom(cells.measured(results))
    parts = [title, f"{counts}\n"]
    if ordered:
        mark = {"": lambda result: _MARKS[result.verdict]}
        parts.append(_table({**mark, **cells.columns(ordered)}, ordered))
    if skipped := cells.how_many_skipped(results):
        parts.append(f"{skipped}.\n")
    for result in ordered:
        if result.accepted is not None:
            parts.append(f"- {code(cells.migration(result))} {escape(str(result.accepted))}\n")
    parts += [_failure(result) for result in ordered if cells.failing(result)]
    return "\n".join(parts)


def comparison(changes: Sequence[Change], notes: Sequence[str]) -> str:
    """A table of what a change did to each budget, and what there is to say about it."""
    mark = {"": lambda one: _MARKS[one.new.verdict]}
    table = [_table({**mark, **compare.columns(changes)}, changes)] if changes else []
    listed = [f"- {escape(note)}\n" for note in notes]
    return "\n".join(["## Memory budgets, before and after\n", *table, *listed])


def append_to_step_summary(results: Sequence[Result], path: str) -> None:
    """Add the results, if there are any, to the summary of a GitHub job."""
    if results:
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{markdown(results)}\n")
        except OSError as error:
            raise unwritable(path, error) from None


def escape(text: str) -> str:
    """Text on one line that Markdown shows as it is, in a table too."""
    return _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", _one_line(text)))


def code(text: str) -> str:
    """Text on one line as code; a table would end its cell at a pipe even in there."""
    text = _one_line(text).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()), keep="")


def _table(columns: Columns, items: Sequence[Any]) -> str:
    lines: list[Iterable[str]] = [columns, (":--" if name in LEFT else "--:" for name in columns)]
    lines += [
        [_SHOWN.get(name, str)(cell(item)) for name, cell in columns.items()] for item in items
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _failure(result: Result) -> str:
    title = f"{_MARKS[result.verdict]} <b>{html.escape(_one_line(cells.migration(result)))}</b>"
    parts = ["<details open>", f"<summary>{title}</summary>\n", f"{escape(result.reason)}\n"]
    if lines := cells.by_line(result.attribution):
        parts += ["Growth by line:\n", _table(_LINES, lines[:_TOP_LINES])]
    if result.attribution_note:
        parts.append(f"{escape(result.attribution_note)}\n")
    for advice in result.advice:
        support = f"  \n  {escape(cells.support(advice))}".rstrip()
        parts.append(f"- **Advice:** {escape(advice.message)}{support}\n")
    notes = noted(result, everything=result.verdict == Verdict.INCONCLUSIVE)
    parts += [f"- Note: {escape(note)}\n" for note in (*cells.limit_place(result), *notes)]
    return "\n".join([*parts, "</details>\n"])


def _line(line: Line) -> str:
    return f"{code(cells.place(line))} {code(line.source or line.function)}"


_LINES: Columns = {
    "bytes a row": lambda line: f"{line.bytes_per_row:,}",
    "share": lambda line: f"{line.share:.0%}",
    "line": _line,
}
# The texts of a table that the project itself writes.
_SHOWN = {"migration": code, "database": escape}
