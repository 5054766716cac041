"""States that earlier runs have built, and when this run may use them.

A state depends on everything that was read to build it, see Inputs, and on what was there before:
Python, Django, the installed packages, SQLite, the settings.  Where any of this differs, or isn't
known, the state is built anew.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import django

from pytest_membudget import __version__
from pytest_membudget.database.kept_states import KeptState, KeptStates
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.errors import MembudgetError
from pytest_membudget.processes.redirection import embedded
from pytest_membudget.processes.server.inputs import ChangedMeanwhile, Inputs, absolute
from pytest_membudget.processes.server.todays_models import TodaysModels
from pytest_membudget.project.graph import Key, history
from pytest_membudget.project.operations import file_of
from pytest_membudget.project.secrets import known_secrets
from pytest_membudget.project.settings import settings_text

# A few migrations are applied as quickly as a state is read.
_WORTH_KEEPING = 10
# How a module is imported whose name, as that of a migration, begins with a digit.
_IMPORTS_BY_NAME = (b"import_module", b"__import__", b"run_path")


class StateCache:
    """``inputs`` has recorded how this process has loaded the project; ``folder`` is that of
    KeptStates.
    """

    def __init__(self, folder: str, scratch: ScratchDatabases, inputs: Inputs) -> None:
        self._kept = KeptStates(Path(folder))
        self._inputs = inputs
        self._scratch = scratch
        self._files_at_start = inputs.files()
        self._variables_at_start = self._variables()
        self._todays = TodaysModels(scratch.target.alias)
        self._whole: set[str] = set()
        self._right: dict[str, bool] = {}
        self._is_known = not inputs.elsewhere

    def nearest(
        self, wanted: Collection[Key], without: Collection[Key], more_than: int
    ) -> tuple[KeptState, str] | None:
        """The state of the most migrations that ``wanted`` can be built from, in a new database.

        It has none of ``without``, and ``more_than`` so many.
        """
        with self.recording():
            history()  # what migrations read when they are imported
        with self._inputs.paused(), self._or_without_states():
            for state in self._usable(wanted, without):
                if len(state.applied) <= more_than:
                    break
                content = self._kept.content(state)
                name = None if content is None else self._scratch.restore(content)
                if name is not None:
                    # What grows from it depends on the same.
                    self._inputs.add(state.files, state.folders, state.variables)
                    self._whole.update(set(state.files).difference(state.without_classes))
                    return state, name
                self._right[state.name] = False
                self._kept.remove(state)
        return None

    def keep(self, applied: frozenset[Key], models: int | None, name: str) -> None:
        """Keep the database ``name``, where later runs can tell whether it is still right.

        ``models`` is that of KeptState.
        """
        inputs = self._inputs
        with inputs.paused(), self._or_without_states():
            if inputs.elsewhere or not self._is_usable:
                return
            known = next((len(state.applied) for state in self._usable(applied)), 0)
            if len(applied) - known < _WORTH_KEEPING:
                return
            files = inputs.files() - self._left_out(applied)
            state = KeptState(
                applied,
                models,
                sorted(files),
                sorted(inputs.folders()),
                sorted(self._variables()),
                sorted(files & self._todays.without_part(applied) - self._whole),
            )
            content = self._scratch.content(name)
            if content is None or _holds_secret(content):
                return
            with suppress(ChangedMeanwhile):
                self._kept.add(replace(state, digest=inputs.digest(self._facts, state)), content)

    @contextmanager
    def _or_without_states(self) -> Iterator[None]:
        """Keep none in a project that holds something which breaks this: it is no check's error."""
        try:
            yield
        except MembudgetError:
            raise
        except Exception:
            self._is_known = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what is used to build a state."""
        with self._inputs.variables_recorded(), self._todays.watched():
            yield

    @contextmanager
    def building(self, wait: Callable[[], None]) -> Iterator[None]:
        """See KeptStates.  Where no state can be kept, no other process is waited for."""
        with ExitStack() as lock:
            with self._inputs.paused():
                if self._is_usable and not self._inputs.elsewhere:
                    lock.enter_context(self._kept.building(wait))
            yield

    def _usable(
        self, wanted: Collection[Key], without: Collection[Key] = ()
    ) -> Iterator[KeptState]:
        """Those with the most migrations first."""
        states = self._kept.all() if self._is_usable else []
        found = (
            state
            for state in states
            if state.applied <= set(wanted)
            and state.applied.isdisjoint(without)
            and (state.models is not None or len(state.applied) < len(wanted))
        )
        return filter(self._is_right, sorted(found, key=lambda state: -len(state.applied)))

    @property
    def _is_usable(self) -> bool:
        return self._is_known and self._facts is not None

    def _is_right(self, state: KeptState) -> bool:
        if state.name not in self._right:
            self._right[state.name] = self._holds(state)
        return self._right[state.name]

    def _holds(self, state: KeptState) -> bool:
        """Whether a process that builds it now would use the same."""
        if not (
            self._files_at_start - self._left_out(state.applied) <= set(state.files)
            and self._variables_at_start <= set(state.variables)
            and self._todays.without_part(state.applied).issuperset(state.without_classes)
        ):
            return False
        try:
            return self._inputs.digest(self._facts, state) == state.digest
        except ChangedMeanwhile:
            return False

    def _left_out(self, applied: Collection[Key]) -> set[str]:
        """The files of the other migrations, unless one of ``applied`` may import another."""
        if any(self._importing[key] for key in applied if key in self._importing):
            return set()
        return {file for key, file in self._migrations.items() if key not in applied}

    def _variables(self) -> set[str]:
        redirected = embedded.CHANGED if self._scratch.target.embedded else set()
        return self._inputs.variables - redirected

    @cached_property
    def _facts(self) -> list[Any] | None:
        """What else a state depends on; None where that can't be told."""
        try:
            settings = settings_text(self._scratch.target.embedded)
        except ValueError:
            return None
        folders = list(dict.fromkeys(map(absolute, sys.path)))
        packages = {
            entry.name
            for folder in folders
            for pattern in ("*.dist-info", "*.egg-info")
            for entry in Path(folder).glob(pattern)
        }
        loader, connection = history().loader, self._scratch.connection
        squashed = ((key, one.replaces) for key, one in loader.disk_migrations.items())
        return [
            *(sys.version, str(sys.flags), django.get_version(), __version__),
            *(connection.vendor, connection.get_database_version(), connection.alias),
            *(str(Path.cwd()), str(time.tzname), settings),
            folders,
            sorted(packages),
            sorted(loader.unmigrated_apps),
            sorted((*key, replaced) for key, replaced in squashed if replaced),
        ]

    @cached_property
    def _migrations(self) -> dict[Key, str]:
        """The file of each migration, of those that are replaced as well."""
        found = history().loader.disk_migrations
        return {key: absolute(file_of(migration)) for key, migration in found.items()}

    @cached_property
    def _importing(self) -> dict[Key, bool]:
        """Whether a migration of the project imports modules by their names."""
        own = self._inputs.files()
        texts = {key: Path(f).read_bytes() for key, f in self._migrations.items() if f in own}
        return {key: any(one in text for one in _IMPORTS_BY_NAME) for key, text in texts.items()}


def _holds_secret(content: bytes) -> bool:
    return any(value.encode() in content for value in known_secrets().values)
