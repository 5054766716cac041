"""``membudget``, the command line: the production profile, and reports drawn again."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from pytest_membudget.budget.readers import read_output_path
from pytest_membudget.cli.profile import add_profile
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_text
from pytest_membudget.texts import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status; a usage error exits with 2."""
    parser = argparse.ArgumentParser(
        prog="membudget", description="Memory budgets of Django migrations."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_report(commands)
    add_profile(commands)
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # one that shows no more than ASCII
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BudgetError as error:
        from pytest_membudget.project.secrets import known_secrets

        options.parser.error(visible(known_secrets().hide(str(error))))
    except BrokenPipeError:
        # Whoever read this has seen enough; Python would flush once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "report",
        help="create reports from the JSON of one or more runs",
        description="Create reports from files that --membudget-json wrote.  If a test is in "
        "several files, its last result for each kind of database counts.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a JSON file of results")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="show how each budget changed between the first and the second of two files",
    )
    parser.add_argument("--html", metavar="PATH", help="write one HTML file, with charts")
    parser.add_argument(
        "--markdown", metavar="PATH", help="write Markdown for a pull request or job summary"
    )
    parser.set_defaults(run=_report, parser=parser)


def _report(options: argparse.Namespace) -> int:
    from pytest_membudget.reports import markdown
    from pytest_membudget.reports.compare import compare
    from pytest_membudget.reports.document import merge, read_document
    from pytest_membudget.reports.output import write_reports
    from pytest_membudget.reports.terminal import comparison, notes, summary

    asked = {"html": options.html, "markdown": options.markdown}
    paths = {name: read_output_path(path) for name, path in asked.items() if path}
    if options.compare and len(options.files) != 2:
        raise BudgetError("--compare takes two files, the older one first")
    if options.compare and options.html:
        raise BudgetError(
            "--compare can't be used with --html; it writes to the terminal or --markdown"
        )
    documents = [read_document(path) for path in options.files]
    width, color = shutil.get_terminal_size().columns, sys.stdout.isatty()
    if options.compare:
        changes = compare(*(document.results for document in documents))
        print("\n".join(comparison(changes, width, color=color)))
        if options.markdown:
            write_text(options.markdown, markdown.comparison(changes))
        return 0
    results = merge(documents)
    print("\n".join([*summary(results, width, color=color), *notes(results)] or ["no results"]))
    if problems := write_reports(results, paths, [one.environment for one in documents]):
        raise BudgetError("; ".join(f"--{name}: {text}" for name, text in problems.items()))
    return 0
