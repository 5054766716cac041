"""``membudget accept``: failures that are known, in the baseline."""

from __future__ import annotations

import argparse
from datetime import date, datetime, timezone
from pathlib import Path

from pytest_membudget.budget.options import BASELINE
from pytest_membudget.cli.named_results import listed, named_results
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.acceptance import Acceptance
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.baseline import Baseline, read_baseline
from pytest_membudget.reports.baseline_entry import Entry, key_of
from pytest_membudget.reports.document import read_document
from pytest_membudget.texts import shown, visible


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", metavar="RESULTS", help="a file that --membudget-json wrote")
    parser.add_argument(
        "migrations",
        metavar="MIGRATION",
        nargs="*",
        help="for instance shop.0002, or the id of its test",
    )
    parser.add_argument("--all", action="store_true", help="accept each new failure of RESULTS")
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who review the file")
    parser.add_argument("--until", metavar="DATE", help="the last day that it is accepted")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="remove the entries of migrations that are within in RESULTS",
    )
    parser.add_argument(
        "--baseline", metavar="PATH", default=BASELINE, help="the file (default: %(default)s)"
    )
    parser.set_defaults(run=_accept, parser=parser)


def _accept(options: argparse.Namespace) -> int:
    results = read_document(options.results).results
    there = Path(options.baseline).exists()
    baseline = read_baseline(options.baseline) if there else Baseline(options.baseline, {})
    if options.prune:
        if options.migrations or options.all or options.reason or options.until:
            raise BudgetError("--prune takes RESULTS and --baseline only")
        lines = _pruned(baseline, results)
    else:
        lines = _accepted(baseline, _failures(options, results), options)
    print(visible("\n".join(lines)))
    return 0


def _failures(options: argparse.Namespace, results: tuple[Result, ...]) -> list[Result]:
    """Those that are asked for."""
    if bool(options.migrations) == options.all:
        raise BudgetError("name the migrations to accept, or pass --all for each that failed")
    if options.all:
        found = [one for one in results if not one.ok and one.accepted is None]
    else:
        found = []
        for what in options.migrations:
            named = named_results(results, what, options.results)
            if not (failed := [one for one in named if not one.ok]):
                raise BudgetError(f"{named[0].migration} is within: there is nothing to accept")
            found += failed
    return found


def _accepted(baseline: Baseline, failures: list[Result], options: argparse.Namespace) -> list[str]:
    if not (options.reason or "").strip():
        raise BudgetError('pass --reason "why", which those who review the file will read')
    today = datetime.now(timezone.utc).date()
    until = None if options.until is None else _last_day(options.until, today)
    acceptance = Acceptance(options.reason.strip(), today, until)
    for key in dict.fromkeys(map(key_of, failures)):
        of_one = [one for one in failures if key_of(one) == key]
        baseline.entries[key] = Entry.of(of_one, acceptance)
    if failures:
        baseline.write()
    names = listed(list(dict.fromkeys(one.migration for one in failures)))
    return [f"{baseline.path}: accepted {names}"]


def _last_day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BudgetError(f"--until: {shown(text)} is not a day as in 2027-02-28") from None
    if day < today:
        raise BudgetError(f"--until: {text} is in the past")
    return day


def _pruned(baseline: Baseline, results: tuple[Result, ...]) -> list[str]:
    stale = baseline.stale(results)
    for entry in stale:
        del baseline.entries[entry.key]
    if stale:
        baseline.write()
    return [f"{baseline.path}: removed {listed([entry.migration for entry in stale])}"]
