"""Where the project's routers let a migration run."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation

from pytest_membudget.database.engine import SUPPORTED

_DEFAULT = "default"


def runs_on(alias: str, app_label: str, operations: Sequence[Operation]) -> bool:
    """Whether the routers let at least one of the operations with code run on ``alias``.

    Those that alter tables are asked for the app alone, as ``manage.py migrate`` does for its
    messages.
    """
    with_code = [one for one in operations if isinstance(one, RunPython | RunSQL)]
    hints = [one.hints for one in with_code] or [{}]
    return any(router.allow_migrate(alias, app_label, **one) for one in hints)


def alias_for(app_label: str, operations: Sequence[Operation]) -> str:
    """The alias to measure on where none is named: ``"default"``, or the first where it runs."""
    for alias in sorted(connections, key=lambda alias: alias != _DEFAULT):
        if runs_on(alias, app_label, operations) and (alias == _DEFAULT or _is_usable(alias)):
            return alias
    return _DEFAULT


def _is_usable(alias: str) -> bool:
    try:
        connection = connections[alias]
    except ImproperlyConfigured:  # its driver is not installed
        return False
    return connection.vendor in SUPPORTED and not connection.settings_dict["TEST"]["MIRROR"]
