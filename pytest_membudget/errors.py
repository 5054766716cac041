"""Exceptions that carry their data and read well.

Nothing here knows pytest: :mod:`pytest_membudget.plugin` turns a :class:`BudgetError` into a
usage error and the others into the outcome of one check.
"""

from __future__ import annotations


class MembudgetError(Exception):
    """Base class of everything that this package raises on purpose."""


class BudgetError(MembudgetError):
    """What was given cannot be read: a marker argument, option, setting or file."""


class ServerError(MembudgetError):
    """A scratch database or project state could not be made; ``details`` is output, or empty."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class OutOfTime(ServerError):
    """A step did not end within the time that it was given."""


class OutOfBudget(OutOfTime):
    """The time budget of the check ended."""


class NoRoom(ServerError):
    """There is no room for the rows: nothing was seeded."""


class SeedError(ServerError):
    """A model, ``"shop.Order"``, could not be filled; ``field`` is None where none is to blame."""

    def __init__(self, model: str, field: str | None, reason: str, details: str = "") -> None:
        where = f"{model}.{field}" if field else model
        super().__init__(f"cannot seed {where}: {reason}", details)
