"""``membudget profile``: row counts and column widths of production."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone

from pytest_membudget.budget.readers import read_output_path
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_text
from pytest_membudget.profile.document import DEFAULT_PATH, parse_profile, read_profile
from pytest_membudget.profile.scripts import VENDORS, script


def add_to(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument("--settings", metavar="MODULE", help="default: as pytest-django finds them")
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
    from pytest_membudget.project.live_profile import loaded_additions, model_tables, set_up

    profile = read_profile(options.check)
    set_up(options.settings)
    today = datetime.now(timezone.utc).date()
    additions = loaded_additions()
    models = model_tables(options.database or "default", additions)
    answer = check_profile(profile, models, today, additions.before())
    lines = [f"  {line}" for line in answer.problems + answer.notes]
    print("\n".join([f"{options.check}: {answer.summary}", *lines]))
    return 1 if answer.problems else 0
