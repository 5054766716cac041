"""The options, their ini twins, and where each setting that is in force came from."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND_LINE = "the command line"
_INI = "the ini file"
MARKER = "the marker"
PROFILE = "membudget.json"


@dataclass(frozen=True)
class Setting:
    """A value with where it came from, as a reader would say it."""

    value: Any
    source: str


@dataclass(frozen=True)
class Options:
    """What is in force for the whole run; None where it is said nowhere.

    ``limit`` is bytes or ``"cgroup"``, ``rows`` maps model labels to production's row counts,
    ``time_budget`` is seconds; ``json``, ``html`` and ``markdown`` are paths, ``inconclusive`` is
    ``"fail"`` or ``"warn"``, ``attribution`` is ``"failed"``, ``"always"`` or ``"never"``;
    ``profile`` is a path, ``gate`` names migrations, ``growth`` is that of production's rows.
    """

    limit: Setting | None
    rows: Setting | None
    time_budget: Setting | None
    json: Setting | None
    html: Setting | None
    markdown: Setting | None
    inconclusive: Setting
    attribution: Setting
    profile: Setting | None
    gate: Setting | None
    growth: Setting | None


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("membudget", "memory budgets of Django migrations")
    group.addoption(
        "--membudget-limit",
        metavar="SIZE",
        default=None,
        type=_argument("read_limit"),
        help="memory limit of the container that migrates in production, for tests whose marker "
        'gives none: "512Mi", "2GiB", "500M", bytes, or "cgroup" for the limit of the container '
        "that the tests run in (default: none)",
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


def read_options(config: pytest.Config) -> Options:
    """Read every setting.  Raises pytest.UsageError for one that can't be read."""

    def setting(name: str, reader: str | None = None) -> Setting | None:
        option = config.getoption(f"membudget_{name}", None)
        value, source = (option, COMMAND_LINE) if option is not None else (None, _INI)
        value = value or config.getini(f"membudget_{name}")
        if not value:
            return None
        return Setting(value if reader is None else _read(name, reader, value), source)

    return Options(
        limit=setting("limit", "read_limit"),
        rows=setting("rows", "read_rows_lines"),
        time_budget=setting("time_budget", "parse_seconds"),
        json=setting("json", "read_output_path"),
        html=setting("html", "read_output_path"),
        markdown=setting("markdown", "read_output_path"),
        inconclusive=setting("inconclusive", "read_inconclusive") or Setting("fail", "default"),
        attribution=setting("attribution", "read_attribution") or Setting("failed", "default"),
        profile=setting("profile") or _profile_in(config.rootpath),
        gate=setting("gate"),
        growth=setting("growth", "read_growth"),
    )


def _profile_in(rootpath: Path) -> Setting | None:
    committed = rootpath / PROFILE
    return Setting(str(committed), "default") if committed.exists() else None


def header(options: Options) -> str | None:
    """One line with each setting that somebody has set; None where nobody has."""
    if all(setting is None or setting.source == "default" for setting in vars(options).values()):
        return None

    from pytest_membudget.units import format_seconds, format_size

    def rows(value: Mapping[str, int]) -> str:
        return " ".join(f"{label}={count:_}" for label, count in value.items())

    def size(value: int | str) -> str:
        return value if isinstance(value, str) else format_size(value)

    shown: list[tuple[str, Setting | None, Callable[[Any], str]]] = [
        ("limit", options.limit, size),
        ("rows", options.rows, rows),
        ("time budget", options.time_budget, format_seconds),
        ("json", options.json, str),
        ("html", options.html, str),
        ("markdown", options.markdown, str),
        ("inconclusive", options.inconclusive, str),
        ("attribution", options.attribution, str),
        ("profile", options.profile, str),
        ("gate", options.gate, str),
        ("growth", options.growth, lambda growth: growth.text),
    ]
    parts = [
        f"{name} {show(setting.value)} (from {setting.source})"
        for name, setting, show in shown
        if setting is not None and setting.source != "default"
    ]
    return f"membudget: {', '.join(parts)}"


def _read(name: str, reader: str, value: Any) -> Any:
    """Read by a function of :mod:`pytest_membudget.budget`, imported where there is a value."""
    from pytest_membudget import budget
    from pytest_membudget.errors import BudgetError

    try:
        return getattr(budget, reader)(value)
    except BudgetError as error:
        raise pytest.UsageError(f"membudget_{name}: {error}") from None


def _argument(reader: str) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        from pytest_membudget import budget
        from pytest_membudget.errors import BudgetError

        try:
            return getattr(budget, reader)(value)
        except BudgetError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
