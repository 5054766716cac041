"""The project's settings, with the scratch database in them and every other alias closed."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection import embedded
from pytest_membudget.processes.redirection.imports import after_import

CLOSED_ENGINE = "pytest_membudget.processes.closed_backend"

Config = dict[str, Any]


def install(target: Target) -> None:
    """Redirect whichever settings this process loads, and aliases that are added later."""
    after_import("django.conf", lambda module: _watch_settings(module.LazySettings, target))
    after_import("django.db.utils", lambda module: _watch_aliases(module, target))


def redirect(databases: MutableMapping[str, Config], target: Target) -> None:
    """Point the target's alias and its replicas at the scratch database and close all others."""
    for config in databases.values():
        _let_name_decide(config)
    if target.address is None and target.alias in databases:
        target.address = _address(databases[target.alias])
    for alias in list(databases):
        databases[alias] = redirected(alias, databases[alias], target)


def rename(databases: Mapping[str, Config], before: str, name: str | None) -> None:
    """Point what leads to one scratch database at another; connections have the same settings."""
    for config in databases.values():
        if config.get("NAME") == before:
            config["NAME"] = name


def redirected(alias: str, config: Config, target: Target) -> Config:
    """The settings of an alias: those of the scratch database, or those of a closed one.

    A replica has the same address, or names the alias that it is a mirror of.  It must have the
    same server as the target's alias, since a child process may load other settings; where the run
    has a server of its own, that one takes its place.
    """
    if config.get("ENGINE") == CLOSED_ENGINE:
        return config
    address = _address(config)
    same_server = address[:-1] in _servers(target)
    if same_server and target.embedded:
        embedded.lead_to(config, target.embedded)
    if same_server and target.password:
        target.lead_to_account(config)
    if same_server and target.name is not None and config.get("NAME") == target.name:
        return config
    ours = alias == target.alias
    mirror = (config.get("TEST") or {}).get("MIRROR") == target.alias
    if same_server and (ours or mirror or address == target.address):
        if target.name is not None:
            config["NAME"] = target.name
        if target.name is not None or ours:
            return config
    return {"ENGINE": CLOSED_ENGINE, "NAME": alias, "TEST": {"MIRROR": None}}


def _servers(target: Target) -> list[list[Any]]:
    """The engine, host and port of the target's alias, in the project's settings and now."""
    if target.address is None:
        return []
    engine, *server = target.address[:-1]
    if not target.embedded:
        return [[engine, *server]]
    return [[engine, *server], [engine, target.embedded["HOST"], target.embedded["PORT"]]]


def _let_name_decide(config: Config) -> None:
    """Drop the connection options that Django lets win over ``NAME``."""
    options = dict(config.get("OPTIONS") or {})
    named = [options.pop(key, None) for key in ("dbname", "database", "db", "conninfo")]
    config["OPTIONS"] = options
    config["NAME"] = config.get("NAME") or next(filter(None, named), "")


def _address(config: Mapping[str, Any]) -> list[Any]:
    return [str(config.get(key) or "") for key in ("ENGINE", "HOST", "PORT", "NAME")]


def _watch_settings(lazy_settings: Any, target: Target) -> None:
    setup, configure = lazy_settings._setup, lazy_settings.configure

    def set_up(self: Any, name: str | None = None) -> None:
        setup(self, name)
        redirect(self._wrapped.DATABASES, target)

    def configured(self: Any, *args: Any, **options: Any) -> None:
        configure(self, *args, **options)
        redirect(self._wrapped.DATABASES, target)

    lazy_settings._setup, lazy_settings.configure = set_up, configured


def _watch_aliases(utils: Any, target: Target) -> None:
    """Aliases that an ``AppConfig.ready()`` or a migration adds are redirected or closed too."""
    handler, create = utils.ConnectionHandler, utils.ConnectionHandler.create_connection

    def create_connection(self: Any, alias: str) -> Any:
        config = self.settings[alias]
        _let_name_decide(config)
        now = redirected(alias, config, target)
        if now is not config:
            self.settings[alias] = now
            utils.ConnectionHandler.configure_settings(self, self.settings)
        return create(self, alias)

    handler.create_connection = create_connection
