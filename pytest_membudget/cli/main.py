"""``membudget``, the command line: the production profile, rows, and reports drawn again."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from io import TextIOWrapper
from typing import TYPE_CHECKING

from pytest_membudget import __version__
from pytest_membudget.budget.readers import read_output_path
from pytest_membudget.cli.accept import add_to as add_accept
from pytest_membudget.cli.cache import add_to as add_cache
from pytest_membudget.cli.check import add_to as add_check
from pytest_membudget.cli.explain import add_to as add_explain
from pytest_membudget.cli.sample import add_to as add_sample
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_text
from pytest_membudget.profile.document import DEFAULT_PATH, parse_profile, read_profile
from pytest_membudget.profile.scripts import VENDORS, script
from pytest_membudget.texts import visible

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status; a usage error exits with 2."""
    parser = argparse.ArgumentParser(
        prog="membudget", description="Memory budgets of Django migrations."
    )
    parser.add_argument("--version", action="version", version=f"membudget {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_check(
        commands.add_parser(
            "check",
            help="check one migration, with no test written",
            description="Measure one migration, or those of an app, in scratch databases.  Exit "
            "status: 0 if all fit, 1 if one exceeds the limit, 2 for wrong usage, 3 if it could "
            "not be said.",
        )
    )
    add_explain(
        commands.add_parser(
            "explain",
            help="explain a failure of an earlier run: growth by line, and advice",
            description="Check one migration again, with the rows and the limit of an earlier "
            "run, and explain why its peak grows.  Exit status: that of `membudget check`.",
        )
    )
    _add_report(commands)
    add_accept(
        commands.add_parser(
            "accept",
            help="accept failures of a run, with a reason, until they get worse",
            description="Add failures of a run to the baseline, a file that is committed and "
            "reviewed.  They fail no later run unless they are worse there.",
        )
    )
    _add_profile(commands)
    add_sample(
        commands.add_parser(
            "sample",
            help="take masked rows of a real database, which seeding grows from",
            description="Take some hundred rows of each table, with the rows that they refer to.  "
            "Their values are masked: letters and digits are replaced by others.",
        )
    )
    add_cache(
        commands.add_parser(
            "cache",
            help="show or remove the states of databases that runs have kept",
            description="Show the folder .membudget_cache of the project: in it runs keep the "
            "databases of states before migrations.",
        )
    )
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


def _add_report(commands: Commands) -> None:
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


def _add_profile(commands: Commands) -> None:
    parser = commands.add_parser(
        "profile",
        help="take the production profile: row counts and column widths, no value of any row",
        description="Take the production profile from the database's catalogue: row counts, "
        "column widths, shares of NULLs.  It contains no value of any row; with --shares, hashes "
        "of values that many rows have.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--sql",
        choices=VENDORS,
        help="print a read-only script for the database's own client; needs no project",
    )
    what.add_argument(
        "--check",
        nargs="?",
        const=DEFAULT_PATH,
        metavar="FILE",
        help=f"check a profile against the project's models (default: {DEFAULT_PATH}); "
        "exit with status 1 if it is stale or incomplete",
    )
    parser.add_argument(
        "--database",
        metavar="ALIAS",
        help="take the profile over Django's connection; with --check, the alias whose models "
        "are checked",
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="scan every table once instead of querying the catalogue",
    )
    parser.add_argument(
        "--shares",
        action="store_true",
        help="add how frequent the values of columns are that have few (PostgreSQL); of the "
        "values only hashes are written",
    )
    parser.add_argument("--settings", metavar="MODULE", help="default: DJANGO_SETTINGS_MODULE")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to a file (default: standard output)"
    )
    parser.set_defaults(run=_profile, parser=parser)


def _profile(options: argparse.Namespace) -> int:
    if not (options.sql or options.check or options.database):
        raise BudgetError("pass --sql VENDOR, --database ALIAS or --check")
    if options.sql and options.database:
        raise BudgetError(
            "--sql can't be used with --database: the script runs in the database's client"
        )
    if options.check:
        if options.exact or options.shares or options.output:
            raise BudgetError("--check can't be used with --exact, --shares or --output")
        return _check_profile(options)
    if options.output is not None:
        read_output_path(options.output)
    if options.sql:
        text = script(options.sql, exact=options.exact, shares=options.shares)
    else:
        from pytest_membudget.project.live_profile import set_up, take_profile

        set_up(options.settings)
        text = take_profile(options.database, exact=options.exact, shares=options.shares)
    if options.output is not None:
        write_text(options.output, text)
    else:
        sys.stdout.write(text)
    unknown = [] if options.sql else parse_profile(text, options.database).never_analysed
    if unknown:
        # Standard output is the profile itself.
        print(f"no row count, because never analysed: {', '.join(unknown)}", file=sys.stderr)
    return 0


def _check_profile(options: argparse.Namespace) -> int:
    from pytest_membudget.profile.check import check_profile
    from pytest_membudget.project.live_profile import model_tables, set_up

    profile = read_profile(options.check)
    set_up(options.settings)
    today = datetime.now(timezone.utc).date()
    answer = check_profile(profile, model_tables(options.database or "default"), today)
    lines = [f"  {line}" for line in answer.problems + answer.notes]
    print("\n".join([f"{options.check}: {answer.summary}", *lines]))
    return 1 if answer.problems else 0
