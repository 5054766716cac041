"""``membudget``, the command line: the production profile, rows, and reports drawn again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from pytest_membudget import __version__
from pytest_membudget.cli.accept import add_to as add_accept
from pytest_membudget.cli.cache import add_to as add_cache
from pytest_membudget.cli.check import add_to as add_check
from pytest_membudget.cli.explain import add_to as add_explain
from pytest_membudget.cli.profile import add_to as add_profile
from pytest_membudget.cli.report import add_to as add_report
from pytest_membudget.cli.sample import add_to as add_sample
from pytest_membudget.cli.trend import add_to as add_trend
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible


def main(arguments: Sequence[str] | None = None, prog: str = "membudget") -> int:
    """Run one subcommand and return the exit status; a usage error exits with 2."""
    parser = argparse.ArgumentParser(prog=prog, description="Memory budgets of Django migrations.")
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
    add_report(
        commands.add_parser(
            "report",
            help="create reports from the JSON of one or more runs",
            description="Create reports from files that --membudget-json wrote.  If a test is in "
            "several files, its last result for each kind of database counts.  Exit status with "
            "--fail-on: 0 if nothing grew by more, 1 if something did, 3 if it could not be said.",
        )
    )
    add_trend(
        commands.add_parser(
            "trend",
            help="show which migrations come closer to their limit over several runs",
            description="Show the migrations that take more of their limit from run to run, and "
            "when their rows no longer fit.  The date of a file is that in it, or that of its last "
            "change.",
        )
    )
    add_accept(
        commands.add_parser(
            "accept",
            help="accept failures of a run, with a reason, until they get worse",
            description="Add failures of a run to the baseline, a file that is committed and "
            "reviewed.  They fail no later run unless they are worse there.",
        )
    )
    add_profile(
        commands.add_parser(
            "profile",
            help="take the production profile: row counts and column widths, no value of any row",
            description="Take the production profile from the database's catalogue: row counts, "
            "column widths, shares of NULLs.  It contains no value of any row; with --shares, "
            "hashes of values that many rows have.",
        )
    )
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
