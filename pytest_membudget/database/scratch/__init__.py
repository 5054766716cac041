"""Scratch databases, one file a vendor: made, cloned and dropped here, under names of our own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_membudget.errors import BudgetError

if TYPE_CHECKING:
    from pytest_membudget.database.scratch.base import ScratchDatabases
    from pytest_membudget.database.target import Target

SUPPORTED = ("sqlite", "postgresql")


def check_vendor(alias: str, connection: Any) -> None:
    """Raise BudgetError where no scratch database can be made for this alias."""
    if connection.vendor not in SUPPORTED:
        raise BudgetError(
            f"database {alias!r} uses {connection.settings_dict['ENGINE']}, which membudget cannot "
            f"make scratch databases for; it can for {' and '.join(SUPPORTED)}"
        )


def scratch_databases(connection: Any, folder: Path, target: Target) -> ScratchDatabases:
    """The scratch databases for a Django connection; ``folder`` is this run's own."""
    if connection.vendor == "sqlite":
        from pytest_membudget.database.scratch.sqlite import SQLiteScratch

        return SQLiteScratch(connection, folder, target)
    from pytest_membudget.database.scratch.postgresql import PostgreSQLScratch

    return PostgreSQLScratch(connection, folder, target)
