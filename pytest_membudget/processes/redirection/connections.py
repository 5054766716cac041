"""Each new Django connection is checked for the database that it is really connected to.

An engine, a pool or a proxy may connect to another database than ``NAME``, so the database itself
is asked, before Django or the project sends the first statement.
"""

from __future__ import annotations

from typing import Any

from pytest_membudget.database.engine import engine_of
from pytest_membudget.database.target import RefusedDatabase, Target
from pytest_membudget.processes.redirection.drivers import identity_of
from pytest_membudget.processes.redirection.imports import after_import


def install(target: Target) -> None:
    after_import(
        "django.db.backends.base.base", lambda module: _watch(module.BaseDatabaseWrapper, target)
    )


def _watch(wrapper: Any, target: Target) -> None:
    initialize, connect = wrapper.init_connection_state, wrapper.connect

    def check(connection: Any) -> None:
        raw = connection.connection
        if raw is None or connection.__dict__.get("_membudget_checked") is raw:
            return
        try:
            _check(connection, target)
        except BaseException:
            connection.connection = None
            raise
        connection._membudget_checked = raw

    def init_connection_state(self: Any) -> None:
        check(self)
        initialize(self)

    def checked_connect(self: Any) -> None:
        connect(self)
        check(self)

    wrapper.init_connection_state, wrapper.connect = init_connection_state, checked_connect


def _check(connection: Any, target: Target) -> None:
    """Raise RefusedDatabase unless it is the scratch database that it should be."""
    engine = engine_of(connection.vendor)
    if engine.files:
        for _, _, file in connection.connection.execute(engine.files).fetchall():
            if file and not target.holds(file):
                target.refuse(f"the SQLite file {file}")
    elif engine.identity:
        name, mark = identity_of(connection.connection, engine)
        name = name or ""
        if not target.owns(name, mark):
            target.refuse(f"the {engine.label} database {name!r}")
        settings = connection.settings_dict
        if name != settings["NAME"]:
            raise RefusedDatabase(
                f"the engine {settings['ENGINE']} connects to {name!r} although NAME is "
                f"{settings['NAME']!r}: a check can't use an engine or a pool that ignores NAME"
            )
    else:
        target.refuse(f"a database of the vendor {connection.vendor!r}")
