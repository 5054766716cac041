"""What a check of a known truth has to reach.  ``one`` is a check as accuracy.py keeps it."""

from __future__ import annotations

from typing import Any

from pytest_membudget.units import MIB

CLOSE = (0.03, 6 * MIB)
# With a sixth of the time the samples are smaller.
CLOSE_IN_SHORT = (0.05, 8 * MIB)


def is_close(one: dict[str, Any], truth: int, close: tuple[float, int] = CLOSE) -> bool:
    """Whether the figure is close; a check that ended when the limit was passed gives none."""
    if not gives_a_peak(one):
        return True
    share, size = close
    return bool(abs(one["peak_bytes"] - truth) <= max(share * truth, size))


def is_covered(one: dict[str, Any], truth: int) -> bool:
    return not gives_a_peak(one) or one["peak_low_bytes"] <= truth <= one["peak_high_bytes"]


def gives_a_peak(one: dict[str, Any]) -> bool:
    """Whether its figure is meant as one.

    It is not where the limit was passed before the peak could be told, nor where growth may end
    above the samples and a finding says so: then it is an upper bound.
    """
    ahead = {"threshold-ahead", "cycles-ahead"} & set(one["findings"])
    return one["peak_low_bytes"] is not None and not ahead


def is_right(one: dict[str, Any], share: float) -> bool:
    return bool(one["verdict"] == ("exceeds" if share < 1 else "within"))


def is_wrong(one: dict[str, Any], share: float) -> bool:
    """Whether the verdict is the wrong one for a limit of ``share`` times the truth."""
    return bool(one["verdict"] == ("within" if share < 1 else "exceeds"))
