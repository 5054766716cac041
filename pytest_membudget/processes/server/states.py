"""Template databases: the schema before a migration, built once and shared by every check."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.processes.server.builder import Applied, Builder
from pytest_membudget.processes.server.state_cache import StateCache
from pytest_membudget.project.graph import Key

# A gate goes through hundreds of states, one after the other.
_KEPT = 6
# After so many migrations a state is kept on the way.
_CHECKPOINT = 25
_WAITS = "another process builds states of this project, which this one can use"


@dataclass(frozen=True)
class Template:
    """A database with no seeded rows; its state has so many ``models``."""

    name: str
    models: int = 0


class Templates:
    """Template databases, by the set of migrations that they have applied.

    ``marks`` are those of applying these in this process.  ``cache`` has those of other runs, where
    any are kept of the engine.
    """

    def __init__(
        self,
        scratch: ScratchDatabases,
        empty: str,
        tell: Callable[[str], None],
        cache: StateCache | None = None,
    ) -> None:
        self._scratch = scratch
        self._builder = Builder(scratch.connection, tell)
        self.marks = self._builder.marks
        self._tell = tell
        self._cache = cache
        self._built: dict[Applied, Template] = {frozenset(): Template(empty)}

    @property
    def models(self) -> int:
        """How many the state has that was used last."""
        return list(self._built.values())[-1].models

    def get(self, applied: Iterable[Key], measured: Collection[Key] = ()) -> str:
        """The name of a database with exactly ``applied``, grown from the nearest one at hand.

        ``measured`` are migrations that have to be applied by this process.
        """
        wanted = frozenset(applied)
        if wanted not in self._built or not self.marks.applied.issuperset(measured):
            self._make(wanted, measured)
        self._built[wanted] = self._built.pop(wanted)  # the one that was used last comes last
        for state in [state for state in self._built if state][:-_KEPT]:
            self._scratch.drop(self._built.pop(state).name)
        return self._built[wanted].name

    def _make(self, wanted: Applied, measured: Collection[Key]) -> None:
        if self._restore(wanted, measured):
            return
        with self._alone():
            if not self._restore(wanted, measured):
                self._grow(*self._nearest(wanted, measured), wanted)

    def _restore(self, wanted: Applied, measured: Collection[Key]) -> bool:
        """Take the state from the cache, if it is there."""
        if self._cache and (found := self._cache.nearest(wanted, measured, len(wanted) - 1)):
            state, content = found
            self._put(wanted, Template(self._scratch.restore(content), state.models or 0))
            return True
        return False

    def _nearest(self, wanted: Applied, measured: Collection[Key]) -> tuple[Applied, str]:
        """A new database at the nearest state, in the cache where none at hand is as near."""
        usable = (one for one in self._built if one < wanted and one.isdisjoint(measured))
        base = max(usable, key=len)
        if self._cache and (found := self._cache.nearest(wanted, measured, len(base))):
            state, content = found
            return state.applied, self._scratch.restore(content)
        return base, self._scratch.clone(self._built[base].name)

    def _grow(self, base: Applied, name: str, wanted: Applied) -> None:
        def read() -> bytes | None:
            return self._scratch.content(name)

        def reached(applied: Applied) -> None:
            """Keep a state on the way, from which others can grow as well."""
            if self._cache and (len(applied) - len(base)) % _CHECKPOINT == 0:
                self._cache.keep(applied, None, read)

        try:
            with self._scratch.using(name), self._reading():
                models = self._builder.migrate(base, wanted, reached)
        except Exception:
            self._scratch.drop(name)
            raise
        self._put(wanted, Template(name, models))
        if self._cache:
            self._cache.keep(wanted, models, read)

    def _alone(self) -> AbstractContextManager[None]:
        """What another process is building may be of use."""
        return self._cache.building(lambda: self._tell(_WAITS)) if self._cache else nullcontext()

    def _reading(self) -> AbstractContextManager[None]:
        return self._cache.recording() if self._cache else nullcontext()

    def _put(self, state: Applied, template: Template) -> None:
        before = self._built.pop(state, None)
        if before is not None:
            self._scratch.drop(before.name)
        self._built[state] = template
