"""The kinds of field that seeding knows: one class a kind, see docs/seeding.md."""

from contextlib import suppress

from pytest_membudget.seeding.fields import (
    binary,
    framed_text,
    json,
    network,
    numbers,
    temporal,
    text,
)
from pytest_membudget.seeding.fields.base import FieldKind, kind_of, register, stored_as_builtin

# Django's fields for PostgreSQL can be imported with its client library only.
with suppress(ImportError):
    from pytest_membudget.seeding.fields import postgresql  # noqa: F401

__all__ = [
    "FieldKind",
    "binary",
    "framed_text",
    "json",
    "kind_of",
    "network",
    "numbers",
    "register",
    "stored_as_builtin",
    "temporal",
    "text",
]
