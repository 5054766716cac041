"""What a PostgreSQL server refuses, with what mends it.

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


@contextmanager
def with_cure(connection: Any) -> Iterator[None]:
    """Raise ServerError, which says what mends it, for what the server refuses an administrator."""
    try:
        yield
    except Error as error:
        cure = _creation_cure(error, connection) or cure_of(error)
        if cure is None:
            raise
        raise ServerError(f"{_first_line(error)}; {cure}") from error


def cure_of(error: BaseException | None) -> str | None:
    """What mends an error of the server, wherever it was raised; None where that isn't known.

    The error that a ServerError was made of counts as well.
    """
    while error is not None:
        code, text = _code(error), str(error)
        if code == _QUERY_CANCELED and "user request" not in text:
            return (
                "the role, the database or OPTIONS sets a statement_timeout, which membudget's own "
                "statements exceed on large tables: ALTER ROLE … SET statement_timeout = 0 for the "
                'role of the tests, or "OPTIONS": {"options": "-c statement_timeout=0"}'
            )
        if code == _TOO_MANY_CONNECTIONS or any(sign in text for sign in _TOO_MANY):
            return (
                "a check needs 3 connections: close others, or raise max_connections or the "
                "role's limit, ALTER ROLE … CONNECTION LIMIT -1"
            )
        if code == _READ_ONLY:
            return (
                "use a server and a role that can write: not a standby, and without "
                "default_transaction_read_only (ALTER ROLE … SET default_transaction_read_only = "
                "off)"
            )
        error = error.__cause__
    return None


def is_in_use(error: BaseException | None) -> bool:
    """Whether the database that was to be copied has sessions of others."""
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
    """The SQLSTATE, of the driver's exception that Django's was made of."""
    found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if found is None and isinstance(error, Error) and error.__cause__ is not None:
        return _code(error.__cause__)
    return found


def _first_line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]
