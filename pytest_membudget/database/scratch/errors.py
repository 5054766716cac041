"""Errors of a PostgreSQL server, each with what the user can do about it.

Source of the codes: PostgreSQL's documentation, appendix "PostgreSQL Error Codes".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.utils import Error

from pytest_membudget.errors import ServerError

_INSUFFICIENT_PRIVILEGE = "42501"
_OBJECT_IN_USE = "55006"
_QUERY_CANCELED = "57014"
_READ_ONLY = "25006"
_TOO_MANY_CONNECTIONS = "53300"
# libpq gives no code of a connection that was refused.
_TOO_MANY = ("too many clients", "too many connections", "remaining connection slots")
_CURES = {
    _QUERY_CANCELED: (
        "the role, the database or OPTIONS sets a statement_timeout, which membudget's own "
        "statements exceed on large tables: ALTER ROLE … SET statement_timeout = 0 for the role of "
        'the tests, or "OPTIONS": {"options": "-c statement_timeout=0"}'
    ),
    _TOO_MANY_CONNECTIONS: (
        "a check needs 4 connections: close others, or raise max_connections or the "
        "role's limit, ALTER ROLE … CONNECTION LIMIT -1"
    ),
    _READ_ONLY: (
        "use a server and a role that can write: not a standby, and without "
        "default_transaction_read_only (ALTER ROLE … SET default_transaction_read_only = off)"
    ),
}


@contextmanager
def with_cure(connection: Any) -> Iterator[None]:
    """Raise ServerError with the cure of an error in making or copying a database."""
    try:
        yield
    except Error as error:
        cure = _creation_cure(error, connection) or cure_of(error)
        if cure is None:
            raise
        first_line = str(error).strip().partition("\n")[0]
        raise ServerError(f"{first_line}; {cure}") from error


def cure_of(error: BaseException | None) -> str | None:
    """What the user can do about an error or one of its causes; None where that is unknown."""
    while error is not None:
        code, text = _code(error), str(error)
        if any(sign in text for sign in _TOO_MANY):
            code = _TOO_MANY_CONNECTIONS
        by_user = code == _QUERY_CANCELED and "user request" in text
        if code in _CURES and not by_user:
            return _CURES[code]
        error = error.__cause__
    return None


def is_in_use(error: BaseException | None) -> bool:
    """Whether the database to copy has sessions of others."""
    return error is not None and _code(error) == _OBJECT_IN_USE


def _creation_cure(error: Error, connection: Any) -> str | None:
    code = _code(error)
    role = connection.settings_dict["USER"] or "…"
    if code == _INSUFFICIENT_PRIVILEGE:
        return f'allow the role to create scratch databases: ALTER ROLE "{role}" CREATEDB'
    if code == _OBJECT_IN_USE:
        return "close the sessions in it, or use template0, which accepts no connections"
    return None


def _code(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's exception, also of the one that Django has wrapped."""
    found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if found is None and isinstance(error, Error) and error.__cause__ is not None:
        return _code(error.__cause__)
    return found
