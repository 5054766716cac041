"""``membudget trend``: which migrations come closer to their limit."""

from __future__ import annotations

import argparse
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path

from pytest_membudget.budget.readers import RowGrowth, is_dotted, named, read_row_growth
from pytest_membudget.errors import BudgetError
from pytest_membudget.reports import cells
from pytest_membudget.reports.document import Document, read_document
from pytest_membudget.reports.trend import EVERY_OTHER, Trend, trends
from pytest_membudget.texts import shown


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a JSON file of results")
    parser.add_argument(
        "--growth",
        metavar="MODEL=RATE",
        action="append",
        default=[],
        help="growth of the rows of a model, shop.Order=+3%%/month, or a rate alone for all "
        "others; can be repeated (default: that of the row counts in the files)",
    )
    parser.add_argument(
        "--all", action="store_true", help="show the migrations that come no closer as well"
    )
    parser.set_defaults(run=_trend, parser=parser)


def _trend(options: argparse.Namespace) -> int:
    from pytest_membudget.reports.terminal import trend_table

    growth = dict(_read_growth(text) for text in options.growth)
    runs = [_dated(path) for path in options.files]
    found = trends(runs, growth)
    models = {cells.counted(one.last)[0] for one in found} - {""}
    for model in growth:
        if model not in (EVERY_OTHER, *models):
            listed = ", ".join(sorted(models)) or "none"
            raise BudgetError(f"--growth: no result counts rows of {shown(model)}; they: {listed}")
    near = [one for one in found if one.is_closer or one.has_passed or one.passes is not None]
    shown_ones = found if options.all else near
    width, color = shutil.get_terminal_size().columns, sys.stdout.isatty()
    lines = trend_table(shown_ones, width, color=color) if shown_ones else []
    print("\n".join([*lines, *_summary(runs, found, shown_ones)]))
    return 0


def _summary(
    runs: list[tuple[datetime, Document]], found: list[Trend], shown_ones: list[Trend]
) -> list[str]:
    days = sorted({f"{when:%Y-%m-%d}" for when, _ in runs})
    lines = [" to ".join(dict.fromkeys((days[0], days[-1])))]
    if rest := len(found) - len(shown_ones):
        noun, verb = ("migration", "comes") if rest == 1 else ("migrations", "come")
        lines.append(f"{rest} {noun} {verb} no closer to the limit")
    return lines if found else ["no results"]


def _dated(path: str) -> tuple[datetime, Document]:
    """A file with its date: that of its content, else that of its last change."""
    document = read_document(path)
    created = document.created
    if created is None:
        created = datetime.fromtimestamp(Path(path).stat().st_mtime, timezone.utc)
    elif created.tzinfo is None:
        created = created.replace(tzinfo=timezone.utc)
    return created, document


def _read_growth(text: str) -> tuple[str, RowGrowth]:
    model, mark, rate = text.rpartition("=")
    if mark and not is_dotted(model):
        raise BudgetError(
            f'--growth: {shown(model)} is not a model; write "app_label.Model=+3%/month"'
        )
    return model or EVERY_OTHER, named("--growth", read_row_growth, rate)
