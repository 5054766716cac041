"""Django's settings, loaded as the project itself loads them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

from pytest_membudget.database.engine import POSTGRESQL
from pytest_membudget.errors import BudgetError


def load_settings() -> Any:
    """Load Django's settings as ``manage.py`` would, django-configurations included."""
    if "DJANGO_CONFIGURATION" in os.environ:
        import configurations.importer

        configurations.importer.install()
    from django.conf import settings

    settings.DATABASES  # noqa: B018
    return settings


def require_django() -> None:
    """Raise BudgetError unless Django is set up by settings that a fresh process can load."""
    from django.apps import apps
    from django.conf import settings

    if not settings.configured or not apps.ready:
        raise BudgetError(
            "no Django settings: set their module as for pytest-django, with "
            "DJANGO_SETTINGS_MODULE in the environment or the ini file, or with --ds"
        )
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        raise BudgetError(
            "settings.configure() was called in this process, but the migration runs in a new "
            "one, which needs a settings module: set DJANGO_SETTINGS_MODULE"
        )


def is_on_postgresql(alias: str) -> bool:
    from django.db import connections

    return bool(connections[alias].vendor == POSTGRESQL.vendor)


def require_database(alias: str) -> None:
    """Raise BudgetError unless scratch databases can be made for ``alias``."""
    from django.db import connections
    from django.utils.connection import ConnectionDoesNotExist

    from pytest_membudget.database.scratch import check_vendor

    try:
        connection = connections[alias]
    except ConnectionDoesNotExist:
        known = ", ".join(repr(one) for one in connections)
        raise BudgetError(
            f"database={alias!r} is not an alias in settings.DATABASES; the aliases are {known}"
        ) from None
    check_vendor(alias, connection)


def settings_text(redirected: Iterable[str] = ()) -> str:
    """All settings as a text that is the same in each process that has the same settings.

    The names of databases are left out, as is what else of their settings is ``redirected``.
    Raises ValueError where a value has no such text.
    """
    from django.conf import settings

    values = {name: _value(settings, name) for name in sorted(dir(settings)) if name.isupper()}
    left_out = dict.fromkeys(("NAME", *redirected), "")
    databases = {alias: {**its, **left_out} for alias, its in values["DATABASES"].items()}
    return repr(_plain({**values, "DATABASES": databases}))


def _value(settings: Any, name: str) -> Any:
    """Its value; None of one that Django refuses, as an empty SECRET_KEY."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")  # of settings that are deprecated
        return getattr(settings, name)
    return None


def _plain(value: Any) -> Any:
    from django.utils.functional import Promise

    if isinstance(value, Promise):
        # What it would give may not be there yet, as the URLs of reverse_lazy().
        reduced: Any = value.__reduce__()
        function, arguments, options, *_ = reduced[1]
        return _plain([function, arguments, options])
    if isinstance(value, Mapping):
        return [(_plain(key), _plain(one)) for key, one in value.items()]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(_plain(one)) for one in value)
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        text = value.__name__ if isinstance(value, ModuleType) else repr(value)
    except Exception as error:
        raise ValueError(f"a setting has no text of its own: {error!r}") from error
    if " at 0x" in text:
        raise ValueError(f"a setting has no text of its own: {text}")
    return text
