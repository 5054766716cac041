"""The one way to say that a model cannot be seeded."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_membudget.database.error_text import message
from pytest_membudget.errors import SeedError

_HINT = 'give rows of your own with seed="module.function", called as seed(apps, rows, using)'


def refusal(model: str, field: str | None, reason: str, details: str = "") -> SeedError:
    """A :class:`SeedError` that also says what the user can do about it."""
    return SeedError(model, field, f"{reason}; {_HINT}", details)


def unstorable(model: str, field: str | None, errors: Iterable[Exception]) -> SeedError:
    details = "\n".join(f"{type(error).__name__}: {message(error)}" for error in errors)
    return refusal(model, field, "no value tried can be stored and loaded", details)


def too_few(model: str, field: str | None, possible: int, wanted: int, existing: int) -> SeedError:
    without = f" without the values of the {existing:,} that are there" if existing else ""
    reason = f"only {max(possible, 0):,} different rows are possible{without}"
    return refusal(model, field, f"{reason}, {wanted:,} are wanted")
