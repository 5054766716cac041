"""The settings that are in force for a run, and where each came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND_LINE = "the command line"
MARKER = "the marker"
PROFILE = "membudget.json"
_INI = "the ini file"
_DEFAULT = "default"


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

    limit: Setting | None = None
    rows: Setting | None = None
    time_budget: Setting | None = None
    json: Setting | None = None
    html: Setting | None = None
    markdown: Setting | None = None
    inconclusive: Setting = Setting("fail", _DEFAULT)
    attribution: Setting = Setting("failed", _DEFAULT)
    profile: Setting | None = None
    gate: Setting | None = None
    growth: Setting | None = None


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
        inconclusive=setting("inconclusive", "read_inconclusive") or Options.inconclusive,
        attribution=setting("attribution", "read_attribution") or Options.attribution,
        profile=setting("profile") or _profile_in(config.rootpath),
        gate=setting("gate"),
        growth=setting("growth", "read_growth"),
    )


def _profile_in(rootpath: Path) -> Setting | None:
    committed = rootpath / PROFILE
    return Setting(os.path.relpath(committed), "the rootdir") if committed.exists() else None


def header(options: Options) -> str | None:
    """One line with each setting that somebody has set; None where nobody has."""
    if all(setting is None or setting.source == _DEFAULT for setting in vars(options).values()):
        return None

    from pytest_membudget.texts import visible
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
        if setting is not None and setting.source != _DEFAULT
    ]
    return visible(f"membudget: {', '.join(parts)}")


def _read(name: str, reader: str, value: Any) -> Any:
    """Read by a function of the module :mod:`.request`, imported where there is a value."""
    from pytest_membudget.budget import request
    from pytest_membudget.errors import BudgetError
    from pytest_membudget.texts import visible

    try:
        return getattr(request, reader)(value)
    except BudgetError as error:
        raise pytest.UsageError(visible(f"membudget_{name}: {error}")) from None
