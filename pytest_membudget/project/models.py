"""Every model that the project has or has had, to find one that is misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache

from django.apps import apps as project_apps
from django.db.migrations.state import ModelState, ProjectState

from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.production import EVERY_OTHER
from pytest_membudget.project.graph import History, history
from pytest_membudget.texts import shown


@cache
def project_models() -> ProjectModels:
    """The project's models, looked for once a process."""
    return ProjectModels()


class ProjectModels:
    """Labels of the models of the apps and of every migration's state, M2M tables included."""

    def __init__(self) -> None:
        labels = {model._meta.label for model in project_apps.get_models(include_auto_created=True)}
        labels.update(_in_migrations(history()))
        if history().loader.replacements:
            labels.update(_in_migrations(history(squashed=False)))
        self._known = {label.lower(): label for label in sorted(labels)}

    def require(self, labels: Iterable[str], where: str) -> None:
        """Raise BudgetError for a label that is none of them; ``where`` is what it stands in."""
        for label in labels:
            if label != EVERY_OTHER and label.lower() not in self._known:
                raise BudgetError(
                    f"{where}: the project has no model {shown(label)}{self._nearest(label)}"
                )

    def _nearest(self, label: str) -> str:
        close = difflib.get_close_matches(label.lower(), self._known, n=1)
        return f"; did you mean {self._known[close[0]]}?" if close else ""


def _in_migrations(project: History) -> Iterator[str]:
    state = ProjectState(real_apps=project.loader.unmigrated_apps)
    for key in project.order():
        if key in project.loader.graph.nodes:
            project.loader.graph.nodes[key].mutate_state(state, preserve=False)
            for model in state.models.values():
                yield from _labels(model)


def _labels(model: ModelState) -> Iterator[str]:
    label = f"{model.app_label}.{model.name}"
    yield label
    for name, field in model.fields.items():
        if field.many_to_many and getattr(field.remote_field, "through", None) is None:
            yield f"{label}_{name}"
