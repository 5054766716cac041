"""A change that advice would make, tried on the migration while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db.models import QuerySet
from django.db.models.query import ModelIterable

from pytest_membudget.processes.messages.job import BATCHES, STREAM, Rewrite
from pytest_membudget.processes.worker.probes.usage import calling_line, replaced
from pytest_membudget.project.ownership import Ownership

_BATCH = 1000


def rewritten(rewrite: Rewrite, owned: Ownership) -> AbstractContextManager[None]:
    """Apply the change at its line, and nowhere else."""
    at = (rewrite.file, rewrite.line)

    def here() -> bool:
        return calling_line(owned) == at

    if rewrite.kind == STREAM:
        return _streamed(here)
    if rewrite.kind == BATCHES:
        return _in_batches(here)
    return _deferred(here, rewrite.model, rewrite.columns)


def _streamed(here: Callable[[], bool]) -> AbstractContextManager[None]:
    """Iterate as with ``.iterator()``, without filling the queryset's cache.

    What is prefetched for its rows is not iterated over by that line itself.
    """
    iterate = QuerySet.__iter__
    within = False

    def streaming(self: Any) -> Any:
        if self._result_cache is None and not within and here():
            return one_by_one(self.iterator(chunk_size=2000))
        return iterate(self)

    def one_by_one(rows: Iterator[Any]) -> Iterator[Any]:
        nonlocal within
        end = object()
        while True:
            within = True
            try:
                row = next(rows, end)
            finally:
                within = False
            if row is end:
                return
            yield row

    return replaced(QuerySet, "__iter__", streaming)


def _in_batches(here: Callable[[], bool]) -> AbstractContextManager[None]:
    """Call bulk_update for a thousand objects at a time."""
    bulk_update = QuerySet.bulk_update

    def sliced(self: Any, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        if not here():
            return bulk_update(self, objs, fields, batch_size=batch_size)
        objs = list(objs)
        return sum(
            bulk_update(self, objs[start : start + _BATCH], fields, batch_size=batch_size)
            for start in range(0, len(objs), _BATCH)
        )

    return replaced(QuerySet, "bulk_update", sliced)


def _deferred(
    here: Callable[[], bool], model: str, columns: Sequence[str]
) -> AbstractContextManager[None]:
    """Leave out these columns, as with ``.defer()``."""
    iterate = ModelIterable.__iter__

    def without(self: Any) -> Any:
        if self.queryset.model._meta.label == model and here():
            self.queryset.query.add_deferred_loading(columns)
        return iterate(self)

    return replaced(ModelIterable, "__iter__", without)
