"""The options as pytest has them: on the command line and in the ini file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import pytest

from pytest_membudget.budget.options import (
    BASELINE,
    COMMAND_LINE,
    COMMITTED,
    INI_FILE,
    OPTIONS,
    PROFILE,
    Option,
    Options,
    Setting,
)
from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import visible

# The command line reads these itself, so that an error names the argument.
_READ_EARLY = ("limit", "time_budget", "max_duration")


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("membudget", "memory budgets of Django migrations")
    for option in OPTIONS:
        name, flag = f"membudget_{option.name}", f"--membudget-{option.name.replace('_', '-')}"
        ini_help = option.help
        if option.argument is not None:
            reader = {"type": _argument(option)} if option.name in _READ_EARLY else {}
            group.addoption(flag, default=None, help=option.help, **reader, **option.argument)
            ini_help = f"ini equivalent of {flag}{option.ini_help}"
        if option.lines:
            parser.addini(name, ini_help, type="linelist", default=[])
        else:
            parser.addini(name, ini_help, default=None)


def read_options(config: pytest.Config) -> Options:
    """Read every setting.  Raises pytest.UsageError for one that can't be read."""
    settings = {option.name: _setting(config, option) for option in OPTIONS}
    for name, file in {"profile": PROFILE, "baseline": BASELINE}.items():
        committed = config.rootpath / file
        if settings[name] is None and committed.exists():
            settings[name] = Setting(os.path.relpath(committed), COMMITTED)
    known = {name: setting for name, setting in settings.items() if setting}
    return Options(**known, rootdir=str(config.rootpath))


def _setting(config: pytest.Config, option: Option) -> Setting[Any] | None:
    name = f"membudget_{option.name}"
    value, source = config.getoption(name, None), COMMAND_LINE
    if value is None:
        source = INI_FILE
    value = value or config.getini(name)
    if not value:
        return None
    try:
        return Setting(option.reader(value), source)
    except BudgetError as error:
        raise pytest.UsageError(visible(f"{name}: {error}")) from None


def _argument(option: Option) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        try:
            return option.reader(value)
        except BudgetError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
