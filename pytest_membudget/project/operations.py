"""What migrations do, found out from their operations and their source without running them."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.migrations import (
    AddField,
    AlterField,
    Migration,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation

from pytest_membudget.database.engine import SUPPORTED, engine_of
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.project.comparisons import compared_numbers
from pytest_membudget.project.numbers import named_numbers
from pytest_membudget.project.ownership import is_own_file, is_own_source
from pytest_membudget.project.receivers import receivers
from pytest_membudget.project.syntax import called, syntax_tree
from pytest_membudget.project.vendors import calls

_WITH_CODE = (RunPython, RunSQL)
_DEFAULT = "default"


def operations(migrations: Iterable[Migration]) -> list[Operation]:
    """Their operations, with those inside of a SeparateDatabaseAndState in its place."""

    def flat(nested: Iterable[Operation]) -> Iterator[Operation]:
        for operation in nested:
            if isinstance(operation, SeparateDatabaseAndState):
                yield from flat(operation.database_operations)
            else:
                yield operation

    return [one for migration in migrations for one in flat(migration.operations)]


def file_of(migration: Migration) -> str:
    return inspect.getfile(type(migration))


def findings(migrations: Sequence[Migration], alias: str) -> list[Finding]:
    """What will not run on ``alias``, though production may run it."""
    found = []
    for migration in migrations:
        name, own = f"{migration.app_label}.{migration.name}", operations([migration])
        if why := _left_out(file_of(migration), own, connections[alias].vendor):
            found.append(Finding(FindingCode.CODE_LEFT_OUT, f"{name}: {why}"))
        if own and not _runs_on(alias, migration.app_label, own):
            elsewhere = alias_of([migration])
            nowhere = "they allow it on no alias"
            there = nowhere if elsewhere == alias else f"pass database={elsewhere!r}"
            message = f"the database routers do not allow it on the alias {alias!r}; {there}"
            found.append(Finding(FindingCode.ROUTED_ELSEWHERE, f"{name}: {message}"))
    return found


def does_nothing(migrations: Sequence[Migration], *, reverse: bool = False) -> str | None:
    """Why no rows are loaded into the process; None where they may be."""
    found = operations(migrations)
    if not found:
        return "has no operations"
    may_call_default = _brings_field_back if reverse else _calls_own_default
    may_load = touches_rows(migrations, reverse=reverse) or any(map(may_call_default, found))
    if may_load or _has_own_receivers():
        return None
    return "loads no rows: the database executes its operations"


def touches_rows(migrations: Sequence[Migration], *, reverse: bool = False) -> bool:
    """Whether code of the project's own runs, which is expected to read or write rows."""
    return any(
        isinstance(operation, RunSQL)
        or (isinstance(operation, RunPython) and _code(operation, reverse) is not RunPython.noop)
        or not type(operation).__module__.startswith("django.")
        for operation in operations(migrations)
    )


def _code(operation: RunPython, reverse: bool) -> object:
    return operation.reverse_code if reverse else operation.code


def numbers(migrations: Sequence[Migration], *, reverse: bool = False) -> list[int]:
    """The whole numbers that their code names: among them the sizes of chunks and buffers."""
    return named_numbers(_functions(migrations, reverse=reverse))


def branches(migrations: Sequence[Migration], *, reverse: bool = False) -> list[int]:
    """Row counts from which on the code may do something else: it compares with them."""
    return compared_numbers(_functions(migrations, reverse=reverse))


def _functions(migrations: Sequence[Migration], *, reverse: bool) -> Iterator[object]:
    """The functions of RunPython, and the methods of the project's own operations."""
    for operation in operations(migrations):
        kind = type(operation)
        if isinstance(operation, RunPython):
            yield _code(operation, reverse)
        elif is_own_source(sys.modules.get(kind.__module__)):
            yield kind.database_backwards if reverse else kind.database_forwards


def mixed(migrations: Sequence[Migration]) -> str | None:
    """The file of a migration that alters tables and runs code over rows in one transaction."""
    for migration in migrations:
        kinds = {isinstance(one, _WITH_CODE) for one in operations([migration])}
        if migration.atomic and len(kinds) == 2:
            return file_of(migration)
    return None


def irreversible(migrations: Sequence[Migration]) -> str | None:
    """The first operation that can't be reversed, described; None where all can."""
    found = operations(migrations)
    return next((one.describe() for one in found if not one.reversible), None)


def _runs_on(alias: str, app_label: str, operations: Sequence[Operation]) -> bool:
    """Whether the routers let at least one of the operations with code run on ``alias``.

    Those that alter tables are asked for the app alone, as ``manage.py migrate`` does for its
    messages.
    """
    with_code = [one for one in operations if isinstance(one, _WITH_CODE)]
    hints = [one.hints for one in with_code] or [{}]
    return any(router.allow_migrate(alias, app_label, **one) for one in hints)


def alias_of(migrations: Sequence[Migration]) -> str:
    """The alias to measure on where none is named: ``"default"``, or the first where they run."""
    app_label, own = migrations[0].app_label, operations(migrations)
    for alias in sorted(connections, key=lambda alias: alias != _DEFAULT):
        if _runs_on(alias, app_label, own) and (alias == _DEFAULT or _is_usable(alias)):
            return alias
    return _DEFAULT


def _is_usable(alias: str) -> bool:
    with suppress(ImproperlyConfigured):  # its driver is not installed
        connection = connections[alias]
        return connection.vendor in SUPPORTED and not connection.settings_dict["TEST"]["MIRROR"]
    return False


def _left_out(file: str, own: Sequence[Operation], vendor: str) -> str | None:
    """Why code in a migration's source, perhaps behind an ``if``, isn't run here; None if it is."""
    if any(isinstance(one, _WITH_CODE) for one in own):
        return None
    tree = syntax_tree(file)
    creating = next(filter(_creates_code, calls(tree, vendor)), None)
    if creating is not None:
        return f"{_place(creating)} that is not in its operations in this check"
    # Tests on a server use the one of production; with SQLite they need not.
    creating = next(filter(_creates_code, calls(tree)), None)
    if creating is not None and engine_of(vendor).embedded:
        return f"{_place(creating)} for another database than {vendor}; measure on production's"
    return None


def _creates_code(call: ast.Call) -> bool:
    return called(call) in {kind.__name__ for kind in _WITH_CODE}


def _place(call: ast.Call) -> str:
    return f"line {call.lineno} creates a {called(call)}"


def _calls_own_default(operation: Operation) -> bool:
    """Whether a field is added or altered whose default is a function of the project."""
    if not isinstance(operation, AddField | AlterField):
        return False
    field = operation.field
    return field.has_default() and callable(field.default) and _is_own(field.default)


def _brings_field_back(operation: Operation) -> bool:
    """Whether a field is added on the way back, or altered, whose default is not known here."""
    return isinstance(operation, RemoveField | AlterField)


def _has_own_receivers() -> bool:
    """Whether a function of the project runs before or after each ``migrate``."""
    return any(map(_is_own, receivers()))


def _is_own(code: Any) -> bool:
    """Whether its file is neither Python's, Django's nor an installed package's."""
    while isinstance(code, partial):
        code = code.func
    code = inspect.unwrap(code)
    if not (inspect.isroutine(code) or inspect.isclass(code)):
        code = type(code)
    with suppress(TypeError, OSError):  # built in
        return is_own_file(inspect.getfile(code))
    return False
