"""The project's migration graph: find a migration, and the state of the project before it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from functools import cache, cached_property

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from pytest_membudget.errors import BudgetError

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
        self._beside: list[Key] = []
        self.loader = MigrationLoader(None, replace_migrations=squashed)
        if not squashed:
            self._set_replacements_aside()

    def find(self, wanted: str | Key) -> Key:
        """The key of ``"app_label.name"`` or a unique prefix of it, as ``migrate`` takes it."""
        app_label, name = wanted.split(".") if isinstance(wanted, str) else wanted
        names = sorted(key[1] for key in self.loader.disk_migrations if key[0] == app_label)
        if not names:
            known = sorted(self.loader.migrated_apps)
            raise BudgetError(
                f"there is no app {app_label!r} with migrations{_nearest(app_label, known)}"
            )
        matches = [name] if name in names else [one for one in names if one.startswith(name)]
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
        after.update(without, self._beside)
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
        """What each call of ``manage.py migrate`` is given; none where one call applies all."""
        if not reverse:
            return list(keys) if len(keys) == 1 else []
        targets = []
        for app_label, name in reversed(keys):
            parents = [one.key for one in self.loader.graph.node_map[app_label, name].parents]
            previous = max((key[1] for key in parents if key[0] == app_label), default="zero")
            targets.append((app_label, previous))
        return targets

    def migrations(self, keys: Iterable[Key]) -> list[Migration]:
        return [self.loader.disk_migrations[key] for key in keys]

    def order(self) -> list[Key]:
        """Every migration, each after those that it depends on.

        Those that others stand for come last: replaced ones, or in the history without squashes
        their replacements.
        """
        plan = [key for key in self._plan if key not in self._beside]
        return list(dict.fromkeys([*plan, *sorted(self.loader.disk_migrations)]))

    def _set_replacements_aside(self) -> None:
        """Let what depends on a replacement depend on what that replaces, where this is there.

        The replacement stays in the graph, but nothing comes after it.
        """
        graph, known = self.loader.graph, self.loader.disk_migrations
        for key, migration in self.loader.replacements.items():
            if all(replaced in known for replaced in migration.replaces):
                parents = [parent.key for parent in graph.node_map[key].parents]
                graph.remove_replacement_node(key, migration.replaces)
                graph.add_node(key, migration)
                for parent in parents:
                    graph.add_dependency(migration, key, parent)
                self._beside.append(key)

    @cached_property
    def _plan(self) -> list[Key]:
        graph = self.loader.graph
        plan = (node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
        return list(dict.fromkeys(plan))


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; available: {', '.join(known)}" if known else ""
