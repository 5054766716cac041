"""``membudget explain``: growth by line and advice for a failure of an earlier run."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any

from pytest_membudget.budget.readers import named
from pytest_membudget.budget.request import DEFAULT_TIME_BUDGET
from pytest_membudget.cli.check import add_run_options, run_pytest
from pytest_membudget.cli.named_results import listed, named_results
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports.document import read_document
from pytest_membudget.texts import visible
from pytest_membudget.units import parse_seconds

_DEFAULT_SECONDS = 300.0
_FAILURES = (Verdict.EXCEEDS, Verdict.INCONCLUSIVE)


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", metavar="RESULTS", help="a file that --membudget-json wrote")
    parser.add_argument(
        "migration", metavar="MIGRATION", help="for instance shop.0002, or the id of its test"
    )
    parser.add_argument(
        "--time-budget",
        metavar="SECONDS",
        default=_DEFAULT_SECONDS,
        help="how long the explanation may take, after the samples, which take as long as in that "
        f"run (default: {_DEFAULT_SECONDS:.0f})",
    )
    add_run_options(parser)
    parser.set_defaults(run=_explain, parser=parser)


def _explain(options: argparse.Namespace) -> int:
    """Check it again, with the rows and the limit that it had."""
    seconds = named("--time-budget", parse_seconds, options.time_budget)
    result = _failure(read_document(options.results).results, options.migration, options.results)
    if options.json and os.path.realpath(options.json) == os.path.realpath(options.results):
        raise BudgetError(f"--json would replace all results of {options.results} by this one")
    asked = {
        "nodeid": visible(result.nodeid, keep=""),
        "marker": _marker(result, options.results),
        "explaining": seconds,
    }
    return run_pytest(
        options,
        "--override-ini=membudget_inconclusive=fail",
        "--membudget-attribution=always",
        # A gate that the ini file asks for.
        *("-p", "no:membudget-gate", "-p", "pytest_membudget.plugin.explained"),
        f"--membudget-explain={json.dumps(asked)}",
    )


def _failure(results: Sequence[Result], what: str, file: str) -> Result:
    """The result that ``what`` means.  Raises BudgetError unless it is one."""
    found = named_results(results, what, file)
    failed = [one for one in found if one.verdict in _FAILURES]
    if len(failed) > 1:
        name, nodeids = failed[0].migration, listed([one.nodeid for one in failed])
        raise BudgetError(f"{name} failed in several tests; write the id of one: {nodeids}")
    return _explainable((failed or found)[0])


def _explainable(result: Result) -> Result:
    """The same.  Raises BudgetError where there is no growth to explain."""
    if result.verdict not in _FAILURES:
        raise BudgetError(
            f"{result.migration} has the verdict {result.verdict}: only one that exceeds its "
            "limit, or is inconclusive, can be explained"
        )
    if not result.rows:
        raise BudgetError(f"{result.migration} failed with no rows that could add to its peak")
    return result


def _marker(result: Result, file: str) -> dict[str, Any]:
    """The arguments of a marker that asks for the same check."""
    labels = result.migrations or tuple(result.migration.split(" + "))
    if any(" " in one for one in labels):
        raise BudgetError(f"{file} is of an older version, which did not name each migration")
    return {
        "migration": list(labels),
        "rows": result.rows,
        "limit": result.limit_bytes,
        "database": result.database.alias,
        "seed": result.seed,
        "grow": result.grow or None,
        "reverse": result.reverse,
        "time_budget": result.time_budget_s or DEFAULT_TIME_BUDGET,
    }
