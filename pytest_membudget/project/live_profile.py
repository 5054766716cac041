"""The production profile over Django's connection, and the models to compare it with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.apps import apps
from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from pytest_membudget.database.engine import engine_of
from pytest_membudget.database.error_text import message
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.check import ModelTable
from pytest_membudget.profile.scripts import BEGIN, COMMIT, statement, writes_sql
from pytest_membudget.project.added_by import Additions
from pytest_membudget.project.ini_file import ini_settings
from pytest_membudget.project.settings import load_settings


def set_up(settings: str | None) -> None:
    """Set Django up as ``manage.py`` does, whose folder is searched upwards as by pytest-django.

    Raises BudgetError where the project can't be loaded.
    """
    if settings:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
    here = Path.cwd()
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        os.environ.update(ini_settings(here))
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise BudgetError(
            "no settings: pass --settings MODULE, or set DJANGO_SETTINGS_MODULE in the environment "
            "or in pytest's ini file"
        )
    with_manage = (one for one in (here, *here.parents) if (one / "manage.py").exists())
    sys.path[:0] = [str(next(with_manage, here)), str(here)]
    try:
        load_settings()
        django.setup()
    except Exception as error:
        # It is the project's own code, which may raise anything.
        module = os.environ["DJANGO_SETTINGS_MODULE"]
        raise BudgetError(f"cannot load {module}: {type(error).__name__}: {error}") from error


def take_profile(alias: str, *, exact: bool, shares: bool = False) -> str:
    """The profile of the database ``alias``, as the text of ``membudget.json``."""
    connection = connection_of(alias)
    query = statement(connection.vendor, exact=exact, shares=shares)
    try:
        with read_only(connection):
            lines = _lines(connection, query)
            if writes_sql(connection.vendor, exact=exact):
                written = "\n".join(lines).removesuffix(";").split(";\n")
                lines = [line for one in written for line in _lines(connection, one)]
    except DatabaseError as error:
        raise BudgetError(f"{alias}: {message(error)}") from error
    return "\n".join(lines) + "\n"


def model_tables(alias: str, additions: Additions) -> dict[str, ModelTable]:
    """The models whose tables are in ``alias``, keyed by table; many-to-many tables too."""
    connection = connection_of(alias)
    found = {}
    for model in apps.get_models(include_auto_created=True):
        options = model._meta
        if not options.can_migrate(connection) or not router.allow_migrate_model(alias, model):
            continue
        columns = [field.column for field in options.local_concrete_fields]
        # A composite key has no column of its own, and a proxy has no table.
        found[options.db_table.strip('"')] = ModelTable(
            options.label,
            tuple(column for column in columns if column),
            additions.of(model),
        )
    return found


def loaded_additions() -> Additions:
    """Which migration adds what.  Raises BudgetError where migrations can't be loaded."""
    try:
        return Additions()
    except BudgetError:
        raise
    except Exception as error:  # the project's own code, which may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise BudgetError(f"the project's migrations can't be loaded: {reason}") from error


def connection_of(alias: str) -> BaseDatabaseWrapper:
    """That of an alias of the project's.  Raises BudgetError where there is none."""
    try:
        return connections[alias]
    except ConnectionDoesNotExist:
        known = ", ".join(connections.settings)
        raise BudgetError(f"there is no database {alias!r}; DATABASES has {known}") from None


@contextmanager
def read_only(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have the database itself refuse to write."""
    name = str(connection.settings_dict["NAME"])
    embedded = engine_of(connection.vendor).embedded
    if embedded and not (name.startswith("file:") or Path(name).exists()):
        # Opening it would make it.
        raise BudgetError(f"there is no database at {name}")
    connection.set_autocommit(True)
    # Django finds it out in a transaction of its own, which can't be in another one.
    connection.features.supports_json_field  # noqa: B018
    with connection.cursor() as cursor:
        for one in BEGIN[connection.vendor]:
            cursor.execute(one)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(COMMIT)


def _lines(connection: BaseDatabaseWrapper, query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
