"""The one way to say that a model cannot be seeded."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_membudget.database.error_text import message
from pytest_membudget.errors import SeedError

_HINT = 'create the rows with seed="module.function", called as seed(apps, rows, using)'


def refusal(model: str, field: str | None, reason: str, details: str = "") -> SeedError:
    """A :class:`SeedError` that also says what the user can do about it."""
    return SeedError(model, field, f"{reason}; {_HINT}", details)


def unstorable(model: str, field: str | None, errors: Iterable[Exception]) -> SeedError:
    details = "\n".join(f"{type(error).__name__}: {message(error)}" for error in errors)
    return refusal(model, field, "none of the generated values can be stored and loaded", details)


def too_few(model: str, field: str | None, possible: int, wanted: int, existing: int) -> SeedError:
    without = f" without the values of the {existing:,} that exist" if existing else ""
    reason = f"only {max(possible, 0):,} distinct rows are possible{without}, {wanted:,} are needed"
    correct = f"give a row count of {possible:,} at most, or " if possible > 0 else ""
    return SeedError(model, field, f"{reason}; {correct}{_HINT}")
