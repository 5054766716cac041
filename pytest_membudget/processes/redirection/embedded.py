"""What of a project's settings and environment leads to its server, where the run has its own."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

# Besides those that begin with "ssl"; see libpq's "Parameter Key Words".
_OPTIONS = {
    "assume_role",
    "channel_binding",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "krbsrvname",
    "load_balance_hosts",
    "passfile",
    "password",
    "port",
    "require_auth",
    "requirepeer",
    "requiressl",
    "service",
    "servicefile",
    "target_session_attrs",
    "user",
}
# libpq reads these where a connection does not say it, so each has its default, or is absent.
_VARIABLES = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
_DEFAULTS = {
    "PGCHANNELBINDING": "prefer",
    "PGHOSTADDR": "",
    "PGREQUIREAUTH": "",
    "PGREQUIREPEER": "",
    "PGREQUIRESSL": "0",
    "PGSSLMODE": "prefer",
    "PGSSLNEGOTIATION": "postgres",
    "PGTARGETSESSIONATTRS": "any",
}
_ABSENT = ("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR")
CHANGED = {*_VARIABLES.values(), *_DEFAULTS, *_ABSENT}
"""The variables that complete() sets or removes."""


def lead_to(config: MutableMapping[str, Any], embedded: Mapping[str, str]) -> None:
    """Have the settings of an alias lead to the embedded server; all else in them stays."""
    config.update(embedded)
    config["OPTIONS"] = {
        name: value
        for name, value in (config.get("OPTIONS") or {}).items()
        if name not in _OPTIONS and not name.startswith("ssl")
    }


def complete(environment: MutableMapping[str, str], embedded: Mapping[str, str]) -> None:
    """The same for an environment: what names no server leads to the embedded one."""
    for name, variable in _VARIABLES.items():
        environment[variable] = embedded[name]
    for variable, default in _DEFAULTS.items():
        if variable in environment:
            environment[variable] = default
    for variable in _ABSENT:
        environment.pop(variable, None)


def elsewhere(
    parameters: Mapping[str, Any], environment: Mapping[str, str], embedded: Mapping[str, str]
) -> str:
    """The server that libpq's ``parameters`` lead to, where it is another one; else empty."""
    host = parameters.get("host") or environment.get("PGHOST", "")
    address = parameters.get("hostaddr") or environment.get("PGHOSTADDR", "")
    service = parameters.get("service") or environment.get("PGSERVICE", "")
    if host == embedded["HOST"] and not address and not service:
        return ""
    return str(address or service or host or "libpq's default")
