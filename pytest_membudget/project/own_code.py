"""Code of the project that a migration runs without an operation that is made for code."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any
from weakref import ReferenceType

from django.db.migrations import AddField, AlterField
from django.db.migrations.operations.base import Operation
from django.db.models.signals import post_migrate, pre_migrate

from pytest_membudget.project.ownership import Ownership


def calls_own_default(operation: Operation) -> bool:
    """Whether a field is added or altered whose default is a function of the project."""
    if not isinstance(operation, AddField | AlterField):
        return False
    field = operation.field
    return field.has_default() and callable(field.default) and _is_own(field.default)


def own_receivers() -> bool:
    """Whether a function of the project runs before or after each ``migrate``."""
    return any(
        _is_own(receiver) for signal in (pre_migrate, post_migrate) for receiver in _of(signal)
    )


def _of(signal: Any) -> list[Any]:
    receivers = [entry[1] for entry in signal.receivers]
    return [one() if isinstance(one, ReferenceType) else one for one in receivers]


def _is_own(code: Any) -> bool:
    """Whether its file is neither Python's, Django's nor an installed package's."""
    while isinstance(code, partial):
        code = code.func
    code = inspect.unwrap(code)
    if not (inspect.isroutine(code) or inspect.isclass(code)):
        code = type(code)
    try:
        return Ownership([]).is_own(inspect.getfile(code))
    except (TypeError, OSError):
        return False  # built in
