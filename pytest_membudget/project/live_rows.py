"""Some rows of each table of a real database, read over Django's connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timezone

from django.apps import apps
from django.db import DatabaseError

from pytest_membudget.database.error_text import message
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.document import Database
from pytest_membudget.project.live_profile import connection_of, read_only
from pytest_membudget.project.model_columns import CONTENT_TYPES, PERMISSIONS
from pytest_membudget.project.models import every_table
from pytest_membudget.project.row_queries import TIMEOUT, RowQueries
from pytest_membudget.project.row_reader import RowReader
from pytest_membudget.rows.document import RowsFile
from pytest_membudget.rows.tables import masked

# Sessions are nobody's business, and migrations make the others: only rows that are referred to
# tell something.
_LEFT_OUT = {"django_migrations", "django_session", CONTENT_TYPES, PERMISSIONS}


def take_rows(alias: str, tables: Sequence[str]) -> tuple[RowsFile, list[str]]:
    """Masked rows of the database ``alias``, and what could not be read.

    Of all tables of the project's models, or of ``tables``, which may be labels of models, and
    of those that they refer to.
    """
    connection = connection_of(alias)
    try:
        with read_only(connection), connection.cursor() as cursor:
            for statement in TIMEOUT.get(connection.vendor, ()):
                cursor.execute(statement)
            reader = RowReader(RowQueries(connection, cursor))
            reader.read(_wanted(tables, reader.there))
            raw, problems = reader.tables(), reader.problems
            version = ".".join(map(str, connection.get_database_version()))
    except DatabaseError as error:
        raise BudgetError(f"{alias}: {message(error)}") from error
    today = datetime.now(timezone.utc).date()
    return RowsFile(Database(connection.vendor, version), today, masked(raw)), problems


def _wanted(tables: Sequence[str], there: Collection[str]) -> list[str]:
    """Their names in the database.  Raises BudgetError for one that is not there."""
    if not tables:
        return sorted((every_table() & set(there)) - _LEFT_OUT)
    found = []
    for wanted in tables:
        name = wanted
        if wanted not in there and "." in wanted:
            with suppress(LookupError, ValueError):
                name = apps.get_model(wanted)._meta.db_table
            name = name.replace(".", "_").lower() if name == wanted else name
        if name not in there:
            raise BudgetError(f"--table {wanted}: there is no such table or model")
        found.append(name)
    return found
