"""The models of today's code, and whether they have a part in states that are built.

Migrations use historical models.  So where no migration imports the module of today's models, and
none uses these, it doesn't matter what their classes have: a field that is added with a new
migration leaves the states before it as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import router
from django.db.backends.signals import connection_created
from django.db.models import Model, QuerySet, signals

from pytest_membudget.project.graph import Key, history
from pytest_membudget.project.imports import with_imported
from pytest_membudget.project.ownership import is_own_source
from pytest_membudget.project.receivers import receiver_of

_SIGNALS = (
    connection_created,
    signals.pre_init,
    signals.post_init,
    signals.pre_save,
    signals.post_save,
    signals.pre_delete,
    signals.post_delete,
    signals.m2m_changed,
)
# Ways to today's models that import none of their modules.
_WAYS = re.compile(
    rb"\bdjango\.apps\b|get_user_model|model_class|import_module|import_string|__import__|run_path"
)


class TodaysModels:
    """``used`` says that one has been used while a state was built."""

    def __init__(self, alias: str) -> None:
        self.used = False
        self._alias = alias

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Set ``used`` where a model of today is asked for rows, or an object of it is made."""
        of_set, of_object = QuerySet.__init__, Model.__init__

        def make_set(queryset: Any, model: Any = None, *args: Any, **kwargs: Any) -> None:
            self.used |= model is not None and model._meta.apps is apps
            of_set(queryset, model, *args, **kwargs)

        def make_object(instance: Any, *args: Any, **kwargs: Any) -> None:
            self.used |= instance._meta.apps is apps
            of_object(instance, *args, **kwargs)

        queryset_class: Any = QuerySet
        model_class: Any = Model
        queryset_class.__init__, model_class.__init__ = make_set, make_object
        try:
            yield
        finally:
            queryset_class.__init__, model_class.__init__ = of_set, of_object

    def without_part(self, applied: Collection[Key]) -> set[str]:
        """The files of models whose classes have no part in the state of ``applied``."""
        if self.used:
            return set()
        reached = with_imported([*self._roots(applied), *_models(migrated=False)])
        files = {name: str(sys.modules[name].__file__) for name in reached}
        others = _models(migrated=True) - reached
        if any(map(_leads_to_models, files.values())):
            return set()
        return {
            str(sys.modules[name].__file__) for name in others if is_own_source(sys.modules[name])
        }

    def _roots(self, applied: Collection[Key]) -> Iterator[str]:
        """The modules of the project that run while a state is built."""
        known = history().loader.disk_migrations
        yield from (type(known[key]).__module__ for key in applied if key in known)
        for signal in _SIGNALS:
            for entry in signal.receivers:
                if entry[0][1] == id(None):  # of any sender, so of historical models as well
                    yield str(getattr(receiver_of(entry), "__module__", ""))
        yield from (type(one).__module__ for one in router.routers)
        yield f"{settings.DATABASES[self._alias]['ENGINE']}.base"


@cache
def _leads_to_models(file: str) -> bool:
    return _WAYS.search(Path(file).read_bytes()) is not None


def _models(*, migrated: bool) -> set[str]:
    """The modules of the models of apps with or without migrations."""
    with_migrations = history().loader.migrated_apps
    packages = {
        config.models_module.__name__
        for config in apps.get_app_configs()
        if config.models_module is not None and (config.label in with_migrations) == migrated
    }
    below = tuple(f"{name}." for name in packages)
    return {name for name in list(sys.modules) if name in packages or name.startswith(below)}
