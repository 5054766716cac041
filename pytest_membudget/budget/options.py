"""The options: one table of them, and the settings that are in force for a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pytest_membudget.budget.readers import (
    RowGrowth,
    read_attribution,
    read_inconclusive,
    read_limit,
    read_output_path,
    read_row_growth,
    read_rows_lines,
    read_server,
    read_server_limit,
    read_speed,
    read_switch,
)
from pytest_membudget.database.programs import find_programs
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible
from pytest_membudget.units import format_seconds, format_size, parse_seconds

T = TypeVar("T")

COMMAND_LINE = "the command line"
MARKER = "the marker"
INI_FILE = "the ini file"
COMMITTED = "the rootdir"
PROFILE = "membudget.json"
BASELINE = "membudget-baseline.json"
_DEFAULT = "default"


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A value with where it came from, as a reader would say it."""

    value: T
    source: str


@dataclass(frozen=True)
class Options:
    """What is in force for the whole run; None where it is set nowhere.

    ``limit`` is what read_limit() returns, ``rows`` maps model labels to production's row counts,
    ``time_budget`` is seconds; ``json``, ``html`` and ``markdown`` are paths, ``inconclusive`` is
    ``"fail"`` or ``"warn"``, ``attribution`` is ``"failed"``, ``"always"`` or ``"never"``;
    ``profile``, ``rows_file`` and ``baseline`` are paths, ``gate`` names migrations, ``growth`` is
    that of production's rows, ``server`` is what read_server() returns, ``rebuild`` and
    ``confirm`` are ``"yes"`` or ``"no"``; ``max_duration`` is seconds, ``limit_server`` bytes,
    ``speed`` production's relative to this machine's.
    ``rootdir`` is pytest's, to which the paths of markers and of the ini file are relative.
    """

    limit: Setting[int | str] | None = None
    rows: Setting[Mapping[str, int]] | None = None
    time_budget: Setting[float] | None = None
    json: Setting[str] | None = None
    html: Setting[str] | None = None
    markdown: Setting[str] | None = None
    inconclusive: Setting[str] = Setting("fail", _DEFAULT)
    attribution: Setting[str] = Setting("failed", _DEFAULT)
    profile: Setting[str] | None = None
    rows_file: Setting[str] | None = None
    gate: Setting[str] | None = None
    growth: Setting[RowGrowth] | None = None
    server: Setting[str | None] = Setting(None, _DEFAULT)
    rebuild: Setting[str] = Setting("no", _DEFAULT)
    baseline: Setting[str] | None = None
    confirm: Setting[str] = Setting("no", _DEFAULT)
    max_duration: Setting[float] | None = None
    limit_server: Setting[int] | None = None
    speed: Setting[float] = Setting(1.0, _DEFAULT)
    rootdir: str = "."

    def path(self, setting: Setting[Any], path: str) -> Path:
        """One that a setting names: that of a marker or of the ini file is relative to rootdir."""
        folder = Path() if setting.source in (COMMAND_LINE, COMMITTED) else Path(self.rootdir)
        return (folder / path).absolute()


@dataclass(frozen=True)
class Option:
    """``--membudget-NAME`` on the command line, ``membudget_NAME`` in the ini file.

    ``reader`` reads the value; ``argument`` holds the keywords of argparse, None where the ini file
    alone has the option; ``show`` is how the header prints the value.
    """

    name: str
    help: str
    reader: Callable[[Any], Any] = str
    argument: Mapping[str, Any] | None = field(default_factory=dict)
    ini_help: str = ""
    lines: bool = False
    show: Callable[[Any], str] = str


def _show_size(value: int | str) -> str:
    return value if isinstance(value, str) else format_size(value)


def _show_rows(value: Mapping[str, int]) -> str:
    return " ".join(f"{label}={count:_}" for label, count in value.items())


def _show_server(version: str | None) -> str:
    if version is None:
        return "configured"
    try:
        return f"embedded, PostgreSQL {find_programs(version).version}"
    except BudgetError as error:  # an error only of a check that needs it
        return f"embedded: {error}"


_PATH = {"metavar": "PATH"}


def _report(name: str, how: str) -> Option:
    text = f"write all results to this file {how} (default: none)"
    return Option(name, text, read_output_path, _PATH)


OPTIONS = (
    Option(
        "limit",
        "memory limit of the container that runs migrations in production, for tests whose marker "
        'sets none: "512Mi", "2GiB", "500M" or bytes, at least 1 MB; "k8s:FILE#CONTAINER" or '
        '"compose:FILE#SERVICE" for the limit that a file sets; "cgroup" for that of the container '
        "that runs the tests (default: none)",
        read_limit,
        {"metavar": "SIZE"},
        show=_show_size,
    ),
    Option(
        "rows",
        "production row count of a model, for tests whose marker sets no rows; can be repeated: "
        "shop.Order=1_700_000 (default: none)",
        read_rows_lines,
        {"metavar": "MODEL=N", "action": "append"},
        ini_help=", one MODEL=N on each line",
        lines=True,
        show=_show_rows,
    ),
    Option(
        "time_budget",
        "seconds that one check may take, for tests whose marker sets none (default: 60)",
        parse_seconds,
        {"metavar": "SECONDS"},
        show=format_seconds,
    ),
    Option(
        "max_duration",
        "the longest that a migration may take at production's row count, for tests whose marker "
        'sets none: "15min", "90s", "2h" or seconds (default: none)',
        parse_seconds,
        {"metavar": "DURATION"},
        show=format_seconds,
    ),
    Option(
        "limit_server",
        "memory limit of the database server, for tests whose marker sets none: of it a migration "
        'may take so much, "4Gi" (default: none)',
        read_server_limit,
        argument=None,
        show=format_size,
    ),
    Option(
        "speed",
        "how many times as fast as this machine production is: 1.5, by which projected durations "
        "are divided (default: 1)",
        read_speed,
        argument=None,
        show=lambda speed: f"{speed:g}",
    ),
    _report("json", "as JSON"),
    _report("html", "as a single HTML page with charts"),
    _report("markdown", "as Markdown, for a pull request"),
    Option(
        "inconclusive",
        'what an inconclusive verdict does: "fail" the test or "warn" (default: fail)',
        read_inconclusive,
        argument=None,
    ),
    Option(
        "attribution",
        "which checks explain memory growth by line of the migration (default: failed)",
        read_attribution,
        {"choices": ("failed", "always", "never")},
    ),
    Option(
        "profile",
        "path of the production profile, which `membudget profile` writes: row counts for tests "
        "whose marker sets no rows, and widths of the seeded values (default: membudget.json in "
        "the rootdir, if it exists)",
        argument=_PATH,
    ),
    Option(
        "rows_file",
        "path of masked rows of a real database, which `membudget sample` writes: seeded rows grow "
        "from these (default: none)",
        argument=_PATH,
    ),
    Option(
        "gate",
        "check migrations without a test: those of the project, or WHAT: all, an app, app.name, a "
        "file or folder, or a git ref such as origin/main for the migrations added or changed "
        "since then (default: none)",
        argument={"metavar": "WHAT", "nargs": "?", "const": "own"},
    ),
    Option(
        "server",
        "where PostgreSQL databases are created: configured, the server that the settings name, or "
        "embedded, a private server that the run starts and stops, embedded:16 for a version "
        "(default: configured)",
        read_server,
        {"metavar": "WHERE"},
        show=_show_server,
    ),
    Option(
        "rebuild",
        "build all states anew: those that earlier runs have kept in .membudget_cache are removed "
        "(default: no)",
        read_switch,
        {"action": "store_const", "const": "yes"},
    ),
    Option(
        "baseline",
        "path of the failures that are known and accepted, which `membudget accept` writes "
        "(default: membudget-baseline.json in the rootdir, if it exists)",
        argument=_PATH,
    ),
    Option(
        "confirm",
        "apply the migration once more in a memory control group of the limit's size, and report "
        "whether the kernel kills it (default: no)",
        read_switch,
        {"action": "store_const", "const": "yes"},
    ),
    Option(
        "growth",
        'growth of the production row counts, "5% a month": reports then say when a migration '
        "stops fitting (default: none)",
        read_row_growth,
        argument=None,
        show=lambda growth: str(growth.text),
    ),
)


def header(options: Options) -> str | None:
    """One line with each setting that somebody has set; None where nobody has."""
    parts = []
    for option in OPTIONS:
        setting: Setting[Any] | None = getattr(options, option.name)
        if setting is not None and setting.source != _DEFAULT:
            name = option.name.replace("_", " ")
            parts.append(f"{name} {option.show(setting.value)} (from {setting.source})")
    return visible(f"membudget: {', '.join(parts)}") if parts else None
