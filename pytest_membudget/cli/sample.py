"""``membudget sample``: masked rows of a real database, as prototypes for seeding."""

from __future__ import annotations

import argparse
import sys

from pytest_membudget.budget.readers import read_output_path
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_bytes
from pytest_membudget.rows.check import clear_table, summary
from pytest_membudget.rows.document import DEFAULT_PATH, packed, read_rows_file
from pytest_membudget.texts import visible


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="ALIAS",
        help="the database to read, over Django's connection; nothing is written to it",
    )
    parser.add_argument(
        "--table",
        metavar="TABLE",
        action="append",
        default=[],
        help="a table or model, shop.Order, to take rows of, with the rows that they refer to; can "
        "be repeated (default: all tables of the project's models)",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        const="",
        metavar="FILE",
        help=f"show what is in clear of a file (default: {DEFAULT_PATH}); with --database, what "
        "would be, and write no file",
    )
    parser.add_argument("--settings", metavar="MODULE", help="default: as pytest-django finds them")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help=f"write to this file (default: {DEFAULT_PATH})"
    )
    parser.set_defaults(run=_sample, parser=parser)


def _sample(options: argparse.Namespace) -> int:
    if options.check is None and not options.database:
        raise BudgetError("pass --database ALIAS or --check")
    if options.check is not None and options.output:
        raise BudgetError("--check can't be used with --output: it writes no file")
    if options.check and options.database:
        raise BudgetError("--check takes a file or a --database, not both")
    if options.check is not None and not options.database:
        if options.table:
            raise BudgetError("--table needs --database: it says what to read")
        path = options.check or DEFAULT_PATH
        rows = read_rows_file(path)
        print(visible("\n".join([summary(rows, path), *clear_table(rows)])))
        return 0
    path = read_output_path(options.output or DEFAULT_PATH)
    from pytest_membudget.project.live_profile import set_up
    from pytest_membudget.project.live_rows import take_rows

    set_up(options.settings)
    rows, problems = take_rows(options.database, options.table)
    for problem in problems:
        print(visible(f"not read: {problem}"), file=sys.stderr)
    source = options.database if options.check is not None else path
    lines = [summary(rows, source), *clear_table(rows)]
    if options.check is None:
        write_bytes(path, packed(rows, path))
        lines = [f"{lines[0].partition(';')[0]}; `membudget sample --check` shows what is in clear"]
    print(visible("\n".join(lines)))
    return 0
