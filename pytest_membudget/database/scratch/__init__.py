"""Scratch databases, one file an engine: made, cloned and dropped here, under names of our own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_membudget.database.engine import SUPPORTED, engine_of
from pytest_membudget.errors import BudgetError

if TYPE_CHECKING:
    from pytest_membudget.database.scratch.base import ScratchDatabases
    from pytest_membudget.database.target import Target


def check_vendor(alias: str, connection: Any) -> None:
    """Raise BudgetError where no scratch database can be made for this alias."""
    engine, its = engine_of(connection.vendor), connection.settings_dict["ENGINE"]
    if connection.vendor not in SUPPORTED:
        *others, last = SUPPORTED
        raise BudgetError(
            f"database {alias!r} uses {its}, which membudget does not support; it supports "
            f"{', '.join(others)} and {last}"
        )
    driver = getattr(getattr(connection, "Database", None), "__name__", "")
    if engine.drivers and driver not in engine.drivers:
        raise BudgetError(
            f"database {alias!r} uses {its} with the driver {driver}, which membudget does not "
            f"support; of {engine.label} it supports mysqlclient and PyMySQL"
        )


def scratch_databases(connection: Any, folder: Path, target: Target) -> ScratchDatabases:
    """The scratch databases for a Django connection; ``folder`` is this run's own."""
    module, _, name = engine_of(connection.vendor).scratch.partition(".")
    kind: type[ScratchDatabases] = getattr(import_module(f"{__name__}.{module}"), name)
    return kind(connection, folder, target)
