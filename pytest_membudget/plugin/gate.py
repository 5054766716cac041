"""``--membudget-gate``: an item for each migration file, with no test written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_membudget.frames import short_path

if TYPE_CHECKING:
    from pytest_membudget.migrations.selection import Gated


_EVERYWHERE = "membudget_gate_everywhere"


class Gate:
    """Registered where the option is given.  ``what`` is read by migrations/selection.py."""

    def __init__(self, config: pytest.Config, what: str) -> None:
        self._rootpath = config.rootpath
        self._what = what
        asked = config.args_source == pytest.Config.ArgsSource.ARGS
        self._everywhere = getattr(config, "workerinput", {}).get(_EVERYWHERE, not asked)
        self._gated: dict[Path, list[Gated]] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        if self._everywhere:
            session.config.args += [str(path) for path in self._by_file()]

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """A migration that is named on the command line is no module of tests as well."""
        found = yield
        if file_path.suffix != ".py" or file_path.resolve() not in self._by_file():
            return found
        return [MigrationFile.from_parent(parent, path=file_path, nodeid=self._nodeid(file_path))]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of xdist gets the paths of testpaths as if they had been asked for."""
        node.workerinput[_EVERYWHERE] = self._everywhere

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """In the order in which they are applied, after the tests; each once."""
        ranks = {gated.key: rank for rank, gated in enumerate(self._all())}
        own = {item.gated.key: item for item in items if isinstance(item, MigrationItem)}
        items[:] = [item for item in items if not isinstance(item, MigrationItem)]
        items += [own[key] for key in sorted(own, key=lambda key: ranks[key])]

    def _nodeid(self, file: Path) -> str | None:
        """pytest has no name for the file of an installed package, which is outside of rootdir."""
        return None if self._rootpath in file.parents else short_path(str(file))

    def of(self, file: Path) -> list[Gated]:
        return self._by_file()[file.resolve()]

    def _all(self) -> Iterator[Gated]:
        for of_file in self._by_file().values():
            yield from of_file

    def _by_file(self) -> dict[Path, list[Gated]]:
        if self._gated is None:
            from pytest_membudget.errors import BudgetError
            from pytest_membudget.plugin.collection import select_migrations

            self._gated = {}
            try:
                for gated in select_migrations(self._what, self._rootpath):
                    self._gated.setdefault(gated.file, []).append(gated)
            except BudgetError as error:
                raise pytest.UsageError(f"--membudget-gate: {error}") from None
        return self._gated


class MigrationFile(pytest.File):
    """A file of the migrations that the gate is about."""

    def collect(self) -> Iterator[MigrationItem]:
        gate = self.config.pluginmanager.getplugin("membudget-gate")
        for gated in gate.of(self.path):
            yield MigrationItem.from_parent(self, name="membudget", gated=gated)


class MigrationItem(pytest.Item):
    """One migration; what it runs is its guard, as for a test whose body is empty."""

    def __init__(self, *, gated: Gated, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gated = gated

    def runtest(self) -> None:
        """Nothing of its own."""

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, ".".join(self.gated.key)
