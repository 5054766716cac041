"""The command line's options and their ini twins."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import pytest


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("membudget", "memory budgets of Django migrations")
    group.addoption(
        "--membudget-limit",
        metavar="SIZE",
        default=None,
        type=_argument("read_limit"),
        help="memory limit of the container that migrates in production, for tests whose marker "
        'gives none: "512Mi", "2GiB", "500M" or bytes, 1 MB at least, or "cgroup" for the limit of '
        "the container that the tests run in (default: none)",
    )
    group.addoption(
        "--membudget-rows",
        metavar="MODEL=N",
        action="append",
        default=None,
        help="production's row count of a model, for tests whose marker gives no rows; may be "
        "repeated: shop.Order=1_700_000 (default: none)",
    )
    group.addoption(
        "--membudget-time-budget",
        metavar="SECONDS",
        default=None,
        type=_argument("parse_seconds"),
        help="seconds that one check may take, for tests whose marker gives none (default: 60)",
    )
    group.addoption(
        "--membudget-json",
        metavar="PATH",
        default=None,
        help="write all results to this file as JSON (default: none)",
    )
    group.addoption(
        "--membudget-html",
        metavar="PATH",
        default=None,
        help="write all results to this file as one page of HTML, with charts (default: none)",
    )
    group.addoption(
        "--membudget-markdown",
        metavar="PATH",
        default=None,
        help="write all results to this file as Markdown, for a pull request (default: none)",
    )
    group.addoption(
        "--membudget-attribution",
        default=None,
        choices=("failed", "always", "never"),
        help="whose growth is told by line of the migration (default: failed)",
    )
    group.addoption(
        "--membudget-profile",
        metavar="PATH",
        default=None,
        help="production's profile, which `membudget profile` writes: row counts for tests whose "
        "marker gives no rows, and what the seeded values are like (default: membudget.json in "
        "the rootdir, if it is there)",
    )
    group.addoption(
        "--membudget-gate",
        metavar="WHAT",
        nargs="?",
        const="own",
        default=None,
        help="check migrations without a test: those of the project itself, or with WHAT all, an "
        "app, app.name, a file or folder, or those added or changed since a git ref such as "
        "origin/main (default: none)",
    )
    parser.addini("membudget_profile", "ini twin of --membudget-profile", default=None)
    parser.addini("membudget_gate", "ini twin of --membudget-gate", default=None)
    parser.addini("membudget_limit", "ini twin of --membudget-limit", default=None)
    parser.addini(
        "membudget_rows",
        "ini twin of --membudget-rows, a MODEL=N on each line",
        type="linelist",
        default=[],
    )
    parser.addini("membudget_time_budget", "ini twin of --membudget-time-budget", default=None)
    parser.addini("membudget_json", "ini twin of --membudget-json", default=None)
    parser.addini("membudget_html", "ini twin of --membudget-html", default=None)
    parser.addini("membudget_markdown", "ini twin of --membudget-markdown", default=None)
    parser.addini("membudget_attribution", "ini twin of --membudget-attribution", default=None)
    parser.addini(
        "membudget_growth",
        'how production\'s rows grow, "5% a month": a report then says when a budget will break '
        "(default: none)",
        default=None,
    )
    parser.addini(
        "membudget_inconclusive",
        'what an inconclusive verdict does: "fail" the test or "warn" (default: fail)',
        default=None,
    )


def _argument(reader: str) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        from pytest_membudget.budget import request as budget
        from pytest_membudget.errors import BudgetError

        try:
            return getattr(budget, reader)(value)
        except BudgetError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
