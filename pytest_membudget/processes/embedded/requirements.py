"""What has to hold for an alias whose databases are on the embedded server."""

from __future__ import annotations

from typing import Any

from pytest_membudget.database.engine import POSTGRESQL, engine_of
from pytest_membudget.database.programs import find_programs
from pytest_membudget.errors import BudgetError
from pytest_membudget.processes.redirection.embedded import elsewhere, lead_to

_ANY = {"HOST": "/embedded", "PORT": "5432", "USER": "postgres", "PASSWORD": ""}


def require_embedded(alias: str, version: str) -> None:
    """Raise BudgetError unless there is such a server, and the alias can be led to it.

    Opens no connection.
    """
    from django.db import connections

    connection = connections[alias]
    kind = engine_of(connection.vendor)
    if kind.embedded:
        return
    if kind is not POSTGRESQL:
        raise BudgetError(
            f"membudget_server = embedded can't be used for {alias!r}, which is on {kind.label}: "
            "the embedded server is PostgreSQL"
        )
    try:
        find_programs(version)
    except BudgetError as error:
        raise BudgetError(f"membudget_server: {error}") from None
    config = dict(connection.settings_dict)
    lead_to(config, _ANY)
    make = getattr(type(connection)(config, alias), "get_connection_params", dict)
    engine = f"membudget_server = embedded can't be used for {alias!r}: {config['ENGINE']}"
    try:
        parameters: dict[str, Any] = make()
    except Exception as error:
        raise BudgetError(f"{engine} raised {type(error).__name__}: {error}") from None
    if server := elsewhere(parameters, {}, _ANY):
        raise BudgetError(f"{engine} connects to {server!r} whatever HOST is")
