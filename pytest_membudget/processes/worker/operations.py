"""Which operations with code of the project did not run: their rows are not in the peak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pytest_membudget.processes.worker.kept import Kept

# The types of what a call returns when the function's body has not run.
_NOT_RUN = {
    "coroutine": "is an async function: Django calls it without awaiting it, so its body never "
    "runs and it is recorded as applied",
    "async_generator": "is an async generator function: calling it does not run its body",
    "generator": "is a generator function: calling it does not run its body",
}
_SKIPPED = "was skipped"
_NOT_LEFT = "did not return"


class OperationLog:
    """Follows the operations of the migrations that are about to be applied.

    ``not_run`` holds the migration and the label of each whose code has not run to its end, and
    the reason.
    """

    def __init__(self, kept: Kept) -> None:
        self.not_run: dict[int, tuple[str, str, str]] = {}
        self._kept = kept
        self._followed: list[Any] = []
        self._migration = ""

    def follow(self, plan: Sequence[tuple[Any, bool]]) -> None:
        """Follow the operations of ``plan``, migrations with whether they are unapplied."""
        for migration, backwards in plan:
            for operation in _flat(migration.operations):
                if not any(operation is one for one in self._followed):
                    self._followed.append(operation)
                    self._migration = f"{migration.app_label}.{migration.name}"
                    self._follow(operation, backwards=backwards)

    def _follow(self, operation: Any, *, backwards: bool) -> None:
        from django.db.migrations import RunPython, RunSQL

        if isinstance(operation, RunPython):
            name = "reverse_code" if backwards else "code"
            code = getattr(operation, name)
            label = f"RunPython({getattr(code, '__name__', 'code')})"
            if code not in (RunPython.noop, None):
                self._replace(operation, name, label)
        elif isinstance(operation, RunSQL):
            if (operation.reverse_sql if backwards else operation.sql) not in (RunSQL.noop, None):
                self._replace(operation, "_run_sql", "RunSQL")
        elif not type(operation).__module__.startswith("django."):
            name = "database_backwards" if backwards else "database_forwards"
            self._replace(operation, name, type(operation).__name__)

    def _replace(self, operation: Any, name: str, label: str) -> None:
        call: Callable[..., Any] = getattr(operation, name)
        number, migration = len(self._followed), self._migration
        self.not_run[number] = (migration, label, _SKIPPED)

        def followed(*args: Any, **kwargs: Any) -> Any:
            self.not_run[number] = (migration, label, _NOT_LEFT)
            with self._kept.operation():
                result = call(*args, **kwargs)
            why = _NOT_RUN.get(type(result).__name__)
            if why is None:
                del self.not_run[number]
            else:
                self.not_run[number] = (migration, label, why)
            return result

        setattr(operation, name, followed)


def _flat(operations: Sequence[Any]) -> Iterator[Any]:
    for operation in operations:
        inner = getattr(operation, "database_operations", None)
        if inner is None:
            yield operation
        else:
            yield from _flat(inner)
