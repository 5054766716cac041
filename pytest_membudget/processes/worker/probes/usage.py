"""Record what the migration does with the rows it loads, in a run that is not measured."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable

from pytest_membudget.processes.worker.malloc import malloc_use
from pytest_membudget.project.ownership import Ownership
from pytest_membudget.sample.observed import BulkCall, LoadedRows, Observed, ResultSize

# Django's own reads of every column: what save() compares, and what it writes again.
_SAVING = ("django/db/models/base.py", "django/db/models/fields/__init__.py")


def calling_line(owned: Ownership) -> tuple[str, int]:
    """The innermost line of the project that is being executed."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not owned.is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def _is_called_by(function: str) -> bool:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != function:
        frame = frame.f_back
    return frame is not None


@contextmanager
def replaced(owner: type, name: str, replacement: Any) -> Iterator[None]:
    original = owner.__dict__.get(name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


@contextmanager
def observed(owned: Ownership, tell: Callable[[Observed], None]) -> Iterator[None]:
    """Record each queryset of model instances, each call for many rows, and the columns read."""
    querysets: dict[tuple[str, int, str], LoadedRows] = {}
    bulk_updates: list[BulkCall] = []
    bulk_creates: list[BulkCall] = []
    read: dict[str, set[str]] = defaultdict(set)
    results: dict[tuple[str, int], ResultSize] = {}
    kept_at_first = malloc_use()[1]
    largest_heap = (0, 0)
    execute = CursorWrapper.execute
    iterate = ModelIterable.__iter__
    bulk_update, bulk_create = QuerySet.bulk_update, QuerySet.bulk_create

    def noted_iteration(self: Any) -> Iterator[Any]:
        label, rows = self.queryset.model._meta.label, 0
        at = (*calling_line(owned), label)
        prefetched = _is_called_by("prefetch_related_objects")
        for instance in iterate(self):
            if at not in querysets:
                fields = (field.attname for field in instance._meta.concrete_fields)
                loaded = [name for name in fields if name in vars(instance)]
                querysets[at] = LoadedRows(*at, columns=loaded, rows=0, prefetched=prefetched)
            rows += 1
            yield instance
        if rows:
            querysets[at] = replace(querysets[at], rows=querysets[at].rows + rows)

    def noted_update(self: Any, objs: Any, fields: Any, batch_size: int | None = None) -> Any:
        at, objs = calling_line(owned), tuple(objs)
        bulk_updates.append(BulkCall(*at, rows=len(objs), batch_size=batch_size))
        return bulk_update(self, objs, fields, batch_size=batch_size)

    def noted_create(self: Any, objs: Any, *args: Any, **kwargs: Any) -> Any:
        at, objs = calling_line(owned), list(objs)
        batch_size = kwargs.get("batch_size", next(iter(args), None))
        bulk_creates.append(BulkCall(*at, rows=len(objs), batch_size=batch_size))
        return bulk_create(self, objs, *args, **kwargs)

    def noted_read(self: Any, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if not name.startswith("_"):
            frame = sys._getframe(1)
            if not frame.f_code.co_filename.endswith(_SAVING):
                read[type(self)._meta.label].add(name)
        return value

    def look_at_heap() -> int:
        nonlocal largest_heap
        in_use, kept = malloc_use()
        largest_heap = max(largest_heap, (in_use + kept, kept))
        return in_use

    def noted_execute(self: Any, sql: Any, params: Any = None) -> Any:
        before = look_at_heap()
        result = execute(self, sql, params)
        size = look_at_heap() - before
        at = calling_line(owned)
        if size > (results[at].bytes if at in results else 0):
            results[at] = ResultSize(*at, rows=self.rowcount, bytes=size)
        return result

    with (
        replaced(CursorWrapper, "execute", noted_execute),
        replaced(ModelIterable, "__iter__", noted_iteration),
        replaced(QuerySet, "bulk_update", noted_update),
        replaced(QuerySet, "bulk_create", noted_create),
        replaced(Model, "__getattribute__", noted_read),
    ):
        yield
    tell(
        Observed(
            querysets=list(querysets.values()),
            bulk_updates=bulk_updates,
            bulk_creates=bulk_creates,
            results=list(results.values()),
            read={label: sorted(names) for label, names in read.items()},
            kept_by_malloc=max(0, largest_heap[1] - kept_at_first),
        )
    )
