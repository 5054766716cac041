"""The figures of a result beside its peak that do not meet their limits."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from pytest_membudget.judge.figures import Figure
from pytest_membudget.judge.result import Result
from pytest_membudget.units import format_seconds, format_size

_AMOUNTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "max_duration": ("a duration of", format_seconds),
    "limit_server": ("the server's memory at", format_size),
}


class Over(Struct, frozen=True, forbid_unknown_fields=True):
    """``high`` is the end of the figure's interval; None where it has none."""

    value: Figure
    limit: Figure
    high: Figure | None = None

    def worse(self, before: Over | None, name: str) -> str | None:
        """Why it is not what it was ``before``; None where it is, or is better.

        ``name`` is the argument that sets the limit.
        """
        if before is None:
            return f"It was accepted when it was not over {name}."
        grown = before.high is not None and self.value > before.high
        if not grown and self.limit >= before.limit:
            return None
        what, amount = _AMOUNTS[name]
        figures = f"{what} {amount(before.value)} and {name} {amount(before.limit)}"
        return f"It was accepted with {figures}."


def over_limits(result: Result) -> dict[str, Over]:
    """By the argument that sets the limit: those that are over it, and where nothing else explains
    that the result is not ``within``, those that may be.
    """
    high = result.peak_high_bytes
    peak_fits = high is not None and high < result.limit_bytes and not result.ok
    figures = {
        "max_duration": (
            result.max_duration_s,
            result.projected_duration_low_s,
            result.projected_duration_s,
            result.projected_duration_high_s,
        ),
        "limit_server": (
            result.limit_server_bytes,
            result.server_peak_low_bytes,
            result.server_peak_bytes,
            result.server_peak_high_bytes,
        ),
    }
    return {
        name: Over(value or 0, limit, most)
        for name, (limit, least, value, most) in figures.items()
        if limit is not None
        if (least or 0) > limit or (peak_fits and (most is None or most >= limit))
    }
