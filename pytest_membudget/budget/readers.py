"""Values of markers and options: each reader takes what was written, and says what it may be.

All of them raise BudgetError.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown
from pytest_membudget.units import MIB, format_size, parse_rows, parse_size

CGROUP = "cgroup"
LIMIT_FILES = ("k8s:", "compose:")
"""Prefixes of a limit that a file sets, see manifests/limit.py."""
LEAST_LIMIT = 1000**2
"""A limit below it is a mistake: an interpreter alone takes some 8 MiB."""
_USUAL_LIMITS = (32 * MIB, 64 * 1024 * MIB)
# Per cent.  With less no table grows in a lifetime, more is a mistake.
_LEAST_GROWTH, _MOST_GROWTH = 0.001, 10_000
_VERSION = re.compile(r"\d+(\.\d+)?")
_SWITCH = {
    **dict.fromkeys(("yes", "true", "on", "1"), "yes"),
    **dict.fromkeys(("no", "false", "off", "0"), "no"),
}
# Machines differ by less than that.
_LEAST_SPEED, _MOST_SPEED = 0.01, 100
_GROWTH = re.compile(r"\s*\+?(\d+(?:\.\d+)?)\s*%\s*(?:(?:a|per)\s+|/)(day|week|month|year)\s*")


@dataclass(frozen=True)
class RowGrowth:
    """``rate`` is the share of its rows that a table gains in each ``period``, ``"month"``."""

    text: str
    rate: float
    period: str

    def periods(self, factor: float) -> float:
        """After how many periods the rows are ``factor`` times as many."""
        return math.log(factor) / math.log1p(self.rate)

    def until(self, factor: float) -> str:
        """In what time the rows are ``factor`` times as many: ``"about 14 months"``."""
        periods = self.periods(factor)
        if periods < 1:
            return f"less than a {self.period}"
        count = round(periods)
        return f"about {count} {self.period}{'s' if count > 1 else ''}"


def read_rows(value: object) -> dict[str, int]:
    """Read ``{"shop.Order": 1_700_000}``; 0 is no rows, and the first model is the counted one."""
    if not isinstance(value, Mapping) or not value:
        raise BudgetError(
            f'rows={shown(value)} is not a mapping such as {{"shop.Order": 1_700_000}}'
        )
    rows = {}
    for label, count in value.items():
        if not isinstance(label, str) or (label != "*" and not is_dotted(label)):
            raise BudgetError(f'rows: {shown(label)} is not a model; write "app_label.Model"')
        rows[label] = named(f"rows[{shown(label)}]", parse_rows, count)
    return rows


def read_rows_lines(lines: Sequence[str]) -> dict[str, int]:
    """Read ``MODEL=N`` items, as the command line and the ini file give them."""
    pairs = [line.partition("=") for line in lines]
    for line, (label, _, count) in zip(lines, pairs, strict=True):
        if not label.strip() or not count.strip():
            raise BudgetError(f"{shown(line)} is not MODEL=N, for instance shop.Order=1_700_000")
    return read_rows({label.strip(): count.strip() for label, _, count in pairs})


def read_limit(value: object) -> int | str:
    """Read a limit, 1 MB or more.

    ``"cgroup"`` stands for that of this process's container, ``"k8s:FILE"`` for that of a file.
    """
    if isinstance(value, str):
        if value == CGROUP:
            return value
        if value.startswith(LIMIT_FILES):
            split_limit_file(value)
            return value
    return enough(parse_size(value), value)


def split_limit_file(value: str) -> tuple[str, str, str]:
    """``"k8s:deploy/job.yaml#app"`` as its prefix, file and name; the name may be empty."""
    prefix = next(one for one in LIMIT_FILES if value.startswith(one))
    file, _, name = value.removeprefix(prefix).partition("#")
    if not file:
        raise BudgetError(f"{shown(value)} names no file; write {prefix}FILE or {prefix}FILE#NAME")
    return prefix, file, name


def read_server_limit(value: object) -> int:
    """Read a limit of the database server's memory, 1 MB or more."""
    return enough(parse_size(value), value, "a process of the server")


def enough(size: int, value: object, what: str = "a Python process") -> int:
    """The same size, which was written as ``value``, if ``what`` can start in it."""
    if size < LEAST_LIMIT:
        raise BudgetError(
            f"{shown(value)} is {format_size(size)}, too little for {what} to start; "
            f"{_meant_limit(value)}"
        )
    return size


def _meant_limit(value: object) -> str:
    """What its number was meant to be: the unit with which it is a usual limit."""
    match = re.match(r"[\d_.]+", str(value).strip())
    number = match[0].rstrip(".") if match else ""
    least, most = _USUAL_LIMITS
    for unit in ("Mi", "Gi", "Ki") if number else ():
        if least <= parse_size(f"{number}{unit}") <= most:
            return f"did you mean {number}{unit}?"
    return 'write "512Mi", "2GiB" or "500M"'


def read_inconclusive(value: object) -> str:
    """Read what an inconclusive verdict does to the test: ``"fail"`` or ``"warn"``."""
    if value not in ("fail", "warn"):
        raise BudgetError(f'{shown(value)} is neither "fail" nor "warn"')
    return str(value)


def read_attribution(value: object) -> str:
    """Read whose growth is told by line: ``"failed"`` checks, ``"always"`` all, or ``"never"``."""
    if value not in ("failed", "always", "never"):
        raise BudgetError(f'{shown(value)} is none of "failed", "always" and "never"')
    return str(value)


def read_server(value: object) -> str | None:
    """Read where PostgreSQL databases are: None is the server of the settings.

    Else it is one that the run starts, of a version, ``"16"``, or of any with ``""``.
    """
    kind, colon, version = str(value).partition(":")
    if value == "configured":
        return None
    if kind != "embedded" or (colon and not _VERSION.fullmatch(version)):
        raise BudgetError(
            f'{shown(value)} is none of "configured", "embedded" and "embedded:VERSION", for '
            "instance embedded:16"
        )
    return version


def read_switch(value: object) -> str:
    """Read ``"yes"`` or ``"no"``, as the ini file may write them."""
    text = str(value).lower()
    if text not in _SWITCH:
        raise BudgetError(f'{shown(value)} is neither "yes" nor "no"')
    return _SWITCH[text]


def read_row_growth(value: object) -> RowGrowth:
    """Read ``"5% a month"`` or ``"+5%/month"``; a day, a week and a year do as well."""
    match = _GROWTH.fullmatch(str(value))
    if match is None or not _LEAST_GROWTH <= float(match[1]) <= _MOST_GROWTH:
        raise BudgetError(f'{shown(value)} is not a growth rate; write "5% a month"')
    return RowGrowth(str(value).strip(), float(match[1]) / 100, match[2])


def read_speed(value: object) -> float:
    """Read how many times as fast as this machine production is."""
    try:
        speed = float(str(value))
    except ValueError:
        speed = math.nan
    if not _LEAST_SPEED <= speed <= _MOST_SPEED:
        raise BudgetError(
            f"{shown(value)} is not a speed relative to this machine's; write 1.5, a number from "
            f"{_LEAST_SPEED} to {_MOST_SPEED}"
        )
    return speed


def read_output_path(value: object) -> str:
    """Read where a report goes: a file in a folder that is there or can be made."""
    try:
        path = Path(str(value))
        above = next((folder for folder in path.absolute().parents if folder.exists()), path)
        there = path if path.exists() else above
        possible = not path.is_dir() and above.is_dir() and os.access(there, os.W_OK)
    except (OSError, ValueError):  # too long, or not for this user to look at; a null character
        possible = False
    if not possible:
        raise BudgetError(f"{str(value)!r} is not a path that a file can be written to")
    return str(value)


def is_dotted(value: str) -> bool:
    return value.count(".") == 1 and all(value.split("."))


def named(name: str, read: Callable[[object], Any], value: object) -> Any:
    """What is read of a value; an error begins with the name of what has it."""
    try:
        return read(value)
    except BudgetError as error:
        raise BudgetError(f"{name}: {error}") from None
