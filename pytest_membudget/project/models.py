"""The labels of the project's models, as row counts name them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from django.apps import apps as project_apps
from django.db.migrations.state import ProjectState

from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.production import EVERY_OTHER
from pytest_membudget.project.graph import History, history
from pytest_membudget.texts import shown


def require_models(labels: Iterable[str], where: str) -> None:
    """Raise BudgetError for a label in ``where`` of no model that the project has or has had."""
    known = _every_label()
    for label in labels:
        if label != EVERY_OTHER and label.lower() not in known:
            close = difflib.get_close_matches(label.lower(), known, n=1)
            nearest = f"; did you mean {known[close[0]]}?" if close else ""
            raise BudgetError(f"{where}: the project has no model {shown(label)}{nearest}")


def resolve_rows(
    project: History, rows: Mapping[str, int], state: ProjectState, where: str, *, strict: bool
) -> dict[str, int]:
    """Write each label as the project does.  BudgetError for a model that isn't there.

    Rows for the whole project name models that not every migration knows yet: unless ``strict``,
    those are left out as long as any other is there.
    """
    unmigrated = [
        model._meta.label
        for app_label in project.loader.unmigrated_apps
        for model in project_apps.get_app_config(app_label).get_models(include_auto_created=True)
    ]
    known = {label.lower(): label for label in sorted([*unmigrated, *_labels(state)])}
    if not strict:
        rows = {label: n for label, n in rows.items() if label.lower() in known} or rows
    resolved = {}
    for label, count in rows.items():
        if label.lower() not in known:
            app_label = label.split(".")[0]
            siblings = [one for one in known.values() if one.split(".")[0] == app_label]
            models = ", ".join(siblings or known.values())
            raise BudgetError(f"rows: no model {label!r} exists {where}; the models are {models}")
        resolved[known[label.lower()]] = count
    return resolved


@cache
def every_table() -> frozenset[str]:
    """The tables of all models that the project has or has had."""
    models = project_apps.get_models(include_auto_created=True)
    tables = {model._meta.db_table.strip('"') for model in models}
    for label in _every_label().values():
        tables.add(label.replace(".", "_").lower())
    for state in _states(history()):
        for model in state.models.values():
            tables.add(str(model.options.get("db_table", "")).strip('"'))
    return frozenset(tables - {""})


@cache
def _every_label() -> dict[str, str]:
    """Labels of the models of the apps and of every migration's state, by their lower case."""
    labels = {model._meta.label for model in project_apps.get_models(include_auto_created=True)}
    labels.update(_in_migrations(history()))
    if history().loader.replacements:
        labels.update(_in_migrations(history(squashed=False)))
    return {label.lower(): label for label in sorted(labels)}


def _in_migrations(project: History) -> Iterator[str]:
    for state in _states(project):
        yield from _labels(state)


def _states(project: History) -> Iterator[ProjectState]:
    """The same one after each migration."""
    state = ProjectState(real_apps=project.loader.unmigrated_apps)
    for key in project.applied_before([]):
        project.loader.graph.nodes[key].mutate_state(state, preserve=False)
        yield state


def _labels(state: ProjectState) -> Iterator[str]:
    """Those of the tables of ManyToManyFields are among them, as Django calls them."""
    for model in state.models.values():
        label = f"{model.app_label}.{model.name}"
        yield label
        for name, field in model.fields.items():
            if field.many_to_many and getattr(field.remote_field, "through", None) is None:
                yield f"{label}_{name}"
