"""``membudget check``: one migration, with no test written."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_membudget.budget.options import BASELINE
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports.document import read_document

FITS, FAILED, USAGE, UNSAID = 0, 1, 2, 3
"""Exit statuses: all within; one exceeds; wrong usage; it could not be said of one."""

# Those of pytest, which this process does not import.
_ALL_PASSED, _SOME_FAILED, _USAGE_ERROR, _NOTHING_COLLECTED = 0, 1, 4, 5
_OPTIONS = ("limit", "time-budget", "max-duration")
_RUN_OPTIONS = ("profile", "server", "baseline", "html", "markdown")


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("migration", metavar="MIGRATION", help="for instance shop.0002, or an app")
    parser.add_argument(
        "--rows",
        metavar="MODEL=N",
        action="append",
        default=[],
        help="production's row count of a model, shop.Order=1_700_000, or *=N for all others; can "
        "be repeated (default: the profile, then membudget_rows)",
    )
    parser.add_argument(
        "--limit", metavar="SIZE", help="the container's limit, 512Mi (default: membudget_limit)"
    )
    parser.add_argument("--time-budget", metavar="SECONDS", help="how long the check may take")
    parser.add_argument(
        "--max-duration",
        metavar="DURATION",
        help="how long the migration may take, 15min (default: membudget_max_duration)",
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="apply it once more in a memory control group of the limit's size",
    )
    add_run_options(parser)
    parser.set_defaults(run=_check, parser=parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Those of run_pytest()."""
    parser.add_argument("--profile", metavar="PATH", help="the production profile")
    parser.add_argument(
        "--server",
        metavar="WHERE",
        help="the PostgreSQL server: configured, embedded or embedded:VERSION "
        "(default: membudget_server)",
    )
    parser.add_argument(
        "--baseline", metavar="PATH", help=f"failures that are accepted (default: {BASELINE})"
    )
    parser.add_argument("--json", metavar="PATH", help="write the results")
    parser.add_argument("--html", metavar="PATH", help="write one page")
    parser.add_argument("--markdown", metavar="PATH", help="write a table and the failures")
    parser.add_argument("--settings", metavar="MODULE", help="default: as pytest-django finds them")


def _check(options: argparse.Namespace) -> int:
    """Run pytest's gate on it."""
    what = options.migration
    if what == "all" or "=" in what or what.startswith("-"):
        raise BudgetError(f"{what!r} is not a migration: write app_label.name or an app's label")
    rows = [f"--membudget-rows={one}" for one in options.rows]
    confirm = ["--membudget-confirm"] if options.confirm else []
    given = [*rows, *confirm, *_given(options, _OPTIONS)]
    return run_pytest(options, f"--membudget-gate={what}", *given)


def run_pytest(options: argparse.Namespace, *arguments: str) -> int:
    """Run pytest in a fresh process, which has imported nothing of the project.

    The answer is the exit status of the command.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = options.json or str(Path(folder, "results.json"))
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += [*arguments, f"--membudget-json={path}", *_given(options, _RUN_OPTIONS)]
        if options.settings:
            command.append(f"--ds={options.settings}")
        status = subprocess.run(command, check=False).returncode
        if status in (_ALL_PASSED, _SOME_FAILED):
            return exit_status(read_document(path).results)
        return USAGE if status in (_USAGE_ERROR, _NOTHING_COLLECTED) else UNSAID


def exit_status(results: Sequence[Result]) -> int:
    """That of a run with these results; what is accepted fails no run."""
    found = {Verdict.WITHIN if one.accepted else one.verdict for one in results}
    if Verdict.EXCEEDS in found:
        return FAILED
    return FITS if found == {Verdict.WITHIN} else UNSAID


def _given(options: argparse.Namespace, names: Iterable[str]) -> Iterator[str]:
    """Those of pytest that have these names, where they were given."""
    for name in names:
        if (value := getattr(options, name.replace("-", "_"))) is not None:
            yield f"--membudget-{name}={value}"
