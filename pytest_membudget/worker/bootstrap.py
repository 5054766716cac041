"""What both child programs do first: the project's settings, with scratch databases in them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from typing import Any

CLOSED_ENGINE = "pytest_membudget.worker.closed"


def signal_when_closed(lifeline: int, receiver: int) -> None:
    """Have the kernel send SIGIO to ``receiver`` when the other end of ``lifeline`` closes.

    A negative receiver is a process group.  SIGIO's default action needs no thread, no handler
    and no GIL, so it also ends a worker that hangs in C code after its parent was killed.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, receiver)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def keep_channel(fd: int, replacement: int) -> int:
    """Move a standard stream's descriptor away, so that user code can't reach the channel on it."""
    kept = os.dup(fd)
    os.dup2(replacement, fd)
    return kept


def load_settings() -> Any:
    """Load Django's settings as ``manage.py`` would, django-configurations included."""
    if "DJANGO_CONFIGURATION" in os.environ:
        import configurations.importer

        configurations.importer.install()
    from django.conf import settings

    settings.DATABASES  # noqa: B018
    return settings


def redirect_databases(settings: Any, alias: str, name: str | None) -> None:
    """Point ``alias`` and its replicas at the scratch database ``name`` and close all others.

    It must run before anything opens a connection.  With no name yet every alias is closed.
    """
    configured = settings.DATABASES
    for config in configured.values():
        _let_name_decide(config)
    original = _address(configured[alias])
    for other, config in configured.items():
        mirror = config.get("TEST", {}).get("MIRROR")
        if name is not None and (other == alias or mirror == alias or _address(config) == original):
            config["NAME"] = name
        elif other != alias:
            configured[other] = {"ENGINE": CLOSED_ENGINE, "NAME": other}


def _let_name_decide(config: dict[str, Any]) -> None:
    """Drop the connection options that Django lets win over ``NAME``."""
    options = dict(config.get("OPTIONS") or {})
    named = [options.pop(key, None) for key in ("dbname", "database", "conninfo")]
    config["OPTIONS"] = options
    config["NAME"] = config.get("NAME") or next(filter(None, named), "")


def _address(config: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(config.get(key) for key in ("ENGINE", "HOST", "PORT", "NAME"))
