"""Sizes, row counts and durations: read them, and print only what can be read back."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from pytest_membudget.errors import BudgetError
from pytest_membudget.texts import shown

MIB = 1024**2
MOST = 2**63 - 1
"""The most that a database or the kernel counts to, of rows as of bytes."""
# A size that is printed is rounded, and has to be read back all the same.
_MOST_BYTES = 2**62
LONGEST = 366 * 24 * 3600
"""Seconds that a check may take at most: a year, more than anybody waits for."""

_BINARY = {"Ki": 1024, "Mi": MIB, "Gi": 1024**3, "Ti": 1024**4}
_DECIMAL = {"k": 1000, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_FACTORS = {"": 1, **_BINARY, **_DECIMAL}
_SIZE = re.compile(r"\s*(\d+(?:_\d+)*(?:\.\d+)?)\s*([KMGT]i|[kKMGT]|)B?\s*")
_TIMES = {"s": 1, "min": 60, "h": 3600}
_DURATION = re.compile(r"\s*(\d+(?:_\d+)*(?:\.\d+)?)\s*(s|min|h)\s*")


def parse_size(value: object) -> int:
    """Read bytes or a size of Kubernetes: ``Mi`` is 1024², ``M`` 1000².  Raises BudgetError."""
    size: int | Decimal
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        size = Decimal(match[1].replace("_", ""))
        # What is too large already could not even be multiplied.
        size = size if size > MOST else size * _FACTORS[match[2]]
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        raise BudgetError(f'{shown(value)} is not a size; write "512Mi", "2GiB", "500M" or bytes')
    if size > _MOST_BYTES:
        raise BudgetError(f"{shown(value)} is more memory than any machine has")
    if size < 1:
        raise BudgetError(f"{shown(value)} is not a size above zero")
    return int(size)


def format_size(size: float) -> str:
    """Print bytes in binary units with three digits at most: ``"512 MiB"``, ``"4.9 GiB"``."""
    unit, factor = _unit(size)
    return f"{_digits(size / factor)} {unit}"


def format_interval(low: float, value: float, high: float) -> str:
    """Print a figure and its interval in one unit: ``"4.9 GiB (4.8–5.0)"``."""
    unit, factor = _unit(value)
    shown, *bounds = (_digits(size / factor, trim=False) for size in (value, low, high))
    if len(set(bounds)) == 1:
        return format_size(value)
    return f"{shown} {unit} ({bounds[0]}–{bounds[1]})"


def parse_rows(value: object) -> int:
    """Read a row count: 0 or a positive int, or digits with ``_`` or ``,`` between them."""
    rows = value
    if isinstance(value, str) and re.fullmatch(r"\d+(?:[_,]\d+)*", value.strip()):
        rows = int(min(Decimal(re.sub("[_,]", "", value.strip())), Decimal(MOST + 1)))
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
        raise BudgetError(
            f"{shown(value)} is not a number of rows; write a whole number, 0 or more"
        )
    if rows > MOST:
        raise BudgetError(f"{shown(value)} is more rows than a table can have, {format_rows(MOST)}")
    return rows


def format_rows(rows: int) -> str:
    """Print a row count with thousands separated: ``"1,700,000"``."""
    return f"{rows:,}"


def round_rows_down(rows: int, digits: int = 3) -> int:
    """Keep the leading digits of a row count, never more rows than given."""
    step: int = 10 ** max(0, len(str(rows)) - digits)
    return rows // step * step


def format_share(share: float) -> str:
    """Print a share of a whole: ``"25%"``, ``"1.5%"``."""
    return f"{share:.0%}" if share >= 0.0995 or not share else f"{share:.1%}".replace(".0%", "%")


def parse_seconds(value: object) -> float:
    """Read seconds, ``"90s"``, ``"15min"`` or ``"2h"``: above zero and at most a year."""
    try:
        if isinstance(value, bool):
            raise TypeError
        if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
            seconds = float(match[1]) * _TIMES[match[2]]
        else:
            seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = math.nan
    except OverflowError:
        seconds = math.inf
    if not seconds > 0:
        raise BudgetError(
            f'{shown(value)} is not a number of seconds above zero, nor "90s", "15min" or "2h"'
        )
    if seconds > LONGEST:
        raise BudgetError(f"{shown(value)} is not a number of seconds that fit into a year")
    return seconds


def format_seconds(seconds: float) -> str:
    """Print a duration: ``"0.3 s"``, ``"42 s"``, ``"12 min"``, ``"3.4 h"``."""
    unit, factor = _unit_of_time(seconds)
    time = seconds / factor
    return f"{time:.0f} min" if unit == "min" and time >= 10 else f"{_digits(time)} {unit}"


def format_duration(low: float, seconds: float, high: float) -> str:
    """Print a duration and its interval in one unit: ``"57 min (52–63)"``.

    Without an end of the interval it is the least: ``"at least 57 min"``.
    """
    if math.isinf(high):
        return f"at least {format_seconds(seconds)}"
    _, factor = _unit_of_time(seconds)
    ends = (one / factor for one in (low, high))
    first, last = (f"{one:.0f}" if one >= 10 else _digits(one) for one in ends)
    return f"{format_seconds(seconds)} ({first}–{last})"


def _unit_of_time(seconds: float) -> tuple[str, int]:
    if seconds < 120:
        return "s", 1
    return ("min", 60) if seconds < 7200 else ("h", 3600)


def _unit(size: float) -> tuple[str, int]:
    for unit, factor in reversed(_BINARY.items()):
        if abs(size) >= factor:
            return f"{unit}B", factor
    return "B", 1


def _digits(value: float, *, trim: bool = True) -> str:
    text = f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
    return text.removesuffix(".0") if trim else text
