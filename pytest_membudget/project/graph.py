"""The project's migration graph: find a migration, and the state of the project before it."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property

from django.apps import apps as project_apps
from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import ManyToManyField

from pytest_membudget.errors import BudgetError
from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.project.comparisons import compared_numbers
from pytest_membudget.project.numbers import is_the_projects_own, named_numbers
from pytest_membudget.project.own_code import calls_own_default, own_receivers
from pytest_membudget.project.routing import alias_for, runs_on
from pytest_membudget.project.source import left_out

Key = tuple[str, str]


@cache
def history(*, squashed: bool = True) -> History:
    """The project's history, loaded once a process."""
    return History(squashed=squashed)


def history_with(keys: Sequence[Key]) -> History:
    """The history that has ``keys``: a replaced migration is only in the one without squashes."""
    whole = history()
    if all(key in whole.loader.graph.nodes for key in keys):
        return whole
    return history(squashed=False)


class History:
    """Every migration of the project and how they depend on each other.  Opens no database."""

    def __init__(self, *, squashed: bool) -> None:
        self.loader = MigrationLoader(None, replace_migrations=squashed)

    def find(self, wanted: str | Key) -> Key:
        """The key of ``"app_label.name"`` or a unique prefix of it, as ``migrate`` takes it."""
        app_label, name = wanted.split(".") if isinstance(wanted, str) else wanted
        names = sorted(key[1] for key in self.loader.disk_migrations if key[0] == app_label)
        if not names:
            known = sorted(self.loader.migrated_apps)
            raise BudgetError(
                f"there is no app {app_label!r} with migrations{_nearest(app_label, known)}"
            )
        matches = [one for one in names if one == name] or [
            one for one in names if one.startswith(name)
        ]
        if len(matches) == 1:
            return (app_label, matches[0])
        if matches:
            raise BudgetError(f"{app_label}.{name} is ambiguous: {', '.join(matches)}")
        raise BudgetError(f"{app_label} has no migration {name!r}{_nearest(name, names)}")

    def applied_before(
        self, keys: Sequence[Key], *, reverse: bool = False, without: Collection[Key] = ()
    ) -> list[Key]:
        """The migrations that production has applied when ``keys`` are about to be run.

        That is everything which does not depend on them and is not in ``without``; on the way back
        they are applied too.
        """
        after = self.depending_on(keys)
        if reverse:
            after -= set(keys)
        after |= self._replacements_beside_what_they_replace()
        after.update(without)
        return [node for node in self._plan if node not in after]

    def depending_on(self, keys: Iterable[Key]) -> set[Key]:
        """These migrations, and all that come after them."""
        return {node for key in keys for node in self.loader.graph.backwards_plan(key)}

    def state(self, applied: Iterable[Key]) -> ProjectState:
        """The project state when ``applied``, in the order of the graph, have been applied."""
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for key in applied:
            self.loader.graph.nodes[key].mutate_state(state, preserve=False)
        return state

    def migrate_targets(self, keys: Sequence[Key], *, reverse: bool = False) -> list[Key]:
        """What ``manage.py migrate`` is called with, one call after the other."""
        if not reverse:
            return list(keys)
        return [(key[0], self._previous(key) or "zero") for key in reversed(keys)]

    def findings(self, keys: Sequence[Key], alias: str) -> list[Finding]:
        """What will not run on ``alias``, though production may run it."""
        found = []
        for key in keys:
            operations = self.operations([key])
            name = ".".join(key)
            if why := left_out(inspect.getfile(type(self._migration(key))), operations):
                found.append(Finding(FindingCode.CODE_LEFT_OUT, f"{name}: {why}"))
            if operations and not runs_on(alias, key[0], operations):
                elsewhere = alias_for(key[0], operations)
                there = (
                    f"pass database={elsewhere!r}"
                    if elsewhere != alias
                    else "they allow it on no alias"
                )
                message = (
                    f"{name}: the database routers do not allow it on the alias {alias!r}; {there}"
                )
                found.append(Finding(FindingCode.ROUTED_ELSEWHERE, message))
        return found

    def alias_for(self, keys: Sequence[Key]) -> str:
        """The alias that the routers let these migrations run on."""
        return alias_for(keys[0][0], self.operations(keys))

    def files(self, keys: Sequence[Key]) -> list[str]:
        """The files of the migrations themselves."""
        return [inspect.getfile(type(self._migration(key))) for key in keys]

    def every_file(self) -> dict[Key, str]:
        """The file of each migration of the project and of its packages."""
        return {key: inspect.getfile(type(one)) for key, one in self.loader.disk_migrations.items()}

    def order(self) -> list[Key]:
        """Every migration, each after those that it depends on; the replaced ones come last."""
        return list(dict.fromkeys([*self._plan, *sorted(self.loader.disk_migrations)]))

    def does_nothing(self, keys: Sequence[Key]) -> str | None:
        """Why no row can come into the process, where the operations themselves tell that."""
        operations = self.operations(keys)
        if not operations:
            return "has no operations"
        if self.touches_rows(keys) or any(map(calls_own_default, operations)) or own_receivers():
            return None
        return "loads no rows: the database executes its operations"

    def thresholds(self, keys: Sequence[Key], *, reverse: bool = False) -> list[int]:
        """Row counts at which a chunk or a buffer may be full: the numbers that the code names."""
        return named_numbers(self._functions(keys, reverse=reverse))

    def branches(self, keys: Sequence[Key], *, reverse: bool = False) -> list[int]:
        """Row counts from which on the code may do something else: it compares with them."""
        return compared_numbers(self._functions(keys, reverse=reverse))

    def _functions(self, keys: Sequence[Key], *, reverse: bool) -> Iterator[object]:
        """The code that RunPython runs, and that of operations which are the project's own."""
        for operation in self.operations(keys):
            if isinstance(operation, RunPython):
                yield operation.reverse_code if reverse else operation.code
            elif is_the_projects_own(sys.modules.get(type(operation).__module__)):
                kind = type(operation)
                yield kind.database_backwards if reverse else kind.database_forwards

    def touches_rows(self, keys: Sequence[Key]) -> bool:
        """Whether code of the project's own runs, which is expected to read or write rows."""
        return any(
            isinstance(operation, RunSQL)
            or (isinstance(operation, RunPython) and operation.code is not RunPython.noop)
            or not type(operation).__module__.startswith("django.")
            for operation in self.operations(keys)
        )

    def mixed(self, keys: Sequence[Key]) -> str | None:
        """The file of one that, in one transaction, alters tables and runs code over rows."""
        for key, file in zip(keys, self.files(keys), strict=True):
            kinds = {isinstance(one, RunPython | RunSQL) for one in self.operations([key])}
            if self._migration(key).atomic and len(kinds) == 2:
                return file
        return None

    def irreversible(self, keys: Sequence[Key]) -> str | None:
        """The first operation that can't be reversed, described; None where all can."""
        for operation in self.operations(keys):
            if not operation.reversible:
                return operation.describe()
        return None

    def models(self, state: ProjectState) -> list[str]:
        """Labels of the models in ``state`` that have a table, sorted.

        Those of the tables of ManyToManyFields are among them, as Django calls them.
        """
        unmigrated = [
            model._meta.label
            for app_label in self.loader.unmigrated_apps
            for model in project_apps.get_app_config(app_label).get_models(
                include_auto_created=True
            )
        ]
        models = [f"{model.app_label}.{model.name}" for model in state.models.values()]
        links = [
            f"{model.app_label}.{model.name}_{name}"
            for model in state.models.values()
            for name, field in model.fields.items()
            if isinstance(field, ManyToManyField) and field.remote_field.through is None
        ]
        return sorted([*models, *links, *unmigrated])

    def resolve_rows(
        self, rows: Mapping[str, int], state: ProjectState, where: str, *, strict: bool
    ) -> dict[str, int]:
        """Write each label as the project does.  BudgetError for a model that isn't there.

        Rows for the whole project name models that not every migration knows yet: unless
        ``strict``, those are left out as long as any other is there.
        """
        known = {label.lower(): label for label in self.models(state)}
        if not strict:
            rows = {label: n for label, n in rows.items() if label.lower() in known} or rows
        resolved = {}
        for label, count in rows.items():
            if label.lower() not in known:
                app_label = label.split(".")[0]
                siblings = [one for one in known.values() if one.split(".")[0] == app_label]
                models = ", ".join(siblings or known.values())
                raise BudgetError(
                    f"rows: no model {label!r} exists {where}; the models are {models}"
                )
            resolved[known[label.lower()]] = count
        return resolved

    @cached_property
    def _plan(self) -> list[Key]:
        graph = self.loader.graph
        plan = (node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
        return list(dict.fromkeys(plan))

    def operations(self, keys: Sequence[Key]) -> list[Operation]:
        """Their operations, those inside of another one in its place."""

        def flat(operations: Iterable[Operation]) -> Iterable[Operation]:
            for operation in operations:
                if isinstance(operation, SeparateDatabaseAndState):
                    yield from flat(operation.database_operations)
                else:
                    yield operation

        return [one for key in keys for one in flat(self._migration(key).operations)]

    def _migration(self, key: Key) -> Migration:
        return self.loader.disk_migrations[key]

    def _replacements_beside_what_they_replace(self) -> set[Key]:
        loader = self.loader
        if loader.replace_migrations:  # type: ignore[attr-defined]
            return set()
        return {
            key
            for key, migration in loader.replacements.items()
            if all(replaced in loader.disk_migrations for replaced in migration.replaces)
        }

    def _previous(self, key: Key) -> str | None:
        parents = self.loader.graph.node_map[key].parents
        return max((parent.key[1] for parent in parents if parent.key[0] == key[0]), default=None)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; available: {', '.join(known)}" if known else ""
