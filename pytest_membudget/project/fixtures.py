"""Django fixtures, loaded into the models of a state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps as installed
from django.conf import settings
from django.core import serializers
from django.core.serializers import python
from django.db.migrations.state import StateApps

from pytest_membudget.errors import BudgetError


def find_fixture(path: str) -> Path:
    """The file, from here or where ``loaddata`` finds it.  Raises BudgetError."""
    apps = (Path(config.path, "fixtures") for config in installed.get_app_configs())
    folders = [Path(), *apps, *map(Path, settings.FIXTURE_DIRS)]
    found = next((file for folder in folders if (file := folder / path).is_file()), None)
    if found is None:
        raise BudgetError(
            f"seed={path!r}: there is no such fixture here, in FIXTURE_DIRS or in the folder "
            "fixtures of an app"
        )
    return found


def load_fixture(path: str, apps: StateApps, using: str) -> None:
    """Save its objects as those of historical models, which have no natural keys."""
    file = find_fixture(path)
    kind = file.suffix[1:].replace("yml", "yaml")
    with file.open(encoding="utf-8") as stream, _models_of(apps):
        for one in serializers.deserialize(kind, stream, using=using):
            one.save(using=using)


@contextmanager
def _models_of(apps: StateApps) -> Iterator[None]:
    """Let Django's deserializer, which takes no models as arguments, find these."""
    current = vars(python)["apps"]
    vars(python)["apps"] = apps
    try:
        yield
    finally:
        vars(python)["apps"] = current
