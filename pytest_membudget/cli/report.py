"""``membudget report``: reports of earlier runs, and how one run differs from another."""

from __future__ import annotations

import argparse
import shutil
import sys

from pytest_membudget.budget.readers import named, read_output_path
from pytest_membudget.cli.check import FAILED, FITS, UNSAID
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_text
from pytest_membudget.reports.document import Document, merge, read_document
from pytest_membudget.reports.thresholds import Threshold, crossings, parse_threshold
from pytest_membudget.texts import log_text, visible

_FORMATS = {
    "sarif": "SARIF, for GitHub's code scanning and editors",
    "code_quality": "GitLab's Code Quality report",
    "openmetrics": "OpenMetrics text, for GitLab's metrics reports and Prometheus",
}


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a JSON file of results")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="show how each budget changed between the first and the second of two files, of those "
        "that both have",
    )
    parser.add_argument(
        "--fail-on",
        metavar="FIGURE:+N%",
        action="append",
        default=[],
        help="with --compare: exit with status 1 if a figure grew by more, peak:+20%%, peak:+50Mi "
        "or bytes_per_row:+20%%; can be repeated",
    )
    parser.add_argument("--html", metavar="PATH", help="write one HTML file, with charts")
    parser.add_argument(
        "--markdown", metavar="PATH", help="write Markdown for a pull request or job summary"
    )
    for name, text in _FORMATS.items():
        parser.add_argument(_flag(name), metavar="PATH", help=f"write {text}")
    parser.set_defaults(run=_report, parser=parser)


def _report(options: argparse.Namespace) -> int:
    asked = {name: getattr(options, name) for name in ("html", "markdown", *_FORMATS)}
    paths = {name: read_output_path(path) for name, path in asked.items() if path}
    if options.fail_on and not options.compare:
        raise BudgetError("--fail-on needs --compare OLD NEW")
    if options.compare and len(options.files) != 2:
        raise BudgetError("--compare takes two files, the older one first")
    if options.compare and (other := next((name for name in paths if name != "markdown"), None)):
        raise BudgetError(
            f"--compare can't be used with {_flag(other)}; it writes to the terminal or --markdown"
        )
    thresholds = [named("--fail-on", parse_threshold, text) for text in options.fail_on]
    documents = [read_document(path) for path in options.files]
    if options.compare:
        return _compare(documents, thresholds, options.markdown)
    from pytest_membudget.reports.output import write_reports
    from pytest_membudget.reports.terminal import notes, summary

    results = merge(documents)
    width, color = _terminal()
    print("\n".join([*summary(results, width, color=color), *notes(results)] or ["no results"]))
    if problems := write_reports(results, paths, [one.environment for one in documents]):
        raise BudgetError("; ".join(f"{_flag(name)}: {text}" for name, text in problems.items()))
    return FITS


def _compare(documents: list[Document], thresholds: list[Threshold], file: str | None) -> int:
    from pytest_membudget.reports import markdown
    from pytest_membudget.reports.compare import compare
    from pytest_membudget.reports.terminal import comparison as table

    comparison = compare(*(document.results for document in documents))
    crossed, unknown = crossings(thresholds, comparison.changes)
    width, color = _terminal()
    lines = table(comparison.changes, width, color=color) if comparison.changes else []
    notes = [*comparison.notes, *crossed, *unknown]
    if not comparison.changes:
        notes.insert(0, "the files have no budget in common")
    print("\n".join([*lines, *(log_text(visible(one, keep="")) for one in notes)]))
    if file:
        write_text(file, markdown.comparison(comparison.changes, notes))
    return FAILED if crossed else UNSAID if unknown else FITS


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _terminal() -> tuple[int, bool]:
    return shutil.get_terminal_size().columns, sys.stdout.isatty()
