"""``--membudget-gate``: an item for each migration file, with no test written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_membudget.budget.request import label_of
from pytest_membudget.project.ownership import short_path

if TYPE_CHECKING:
    from pytest_membudget.project.selection import Gated


_OPTION = "--membudget-gate"
# What a worker of xdist finds in its input.
_EVERYWHERE, _ALONE = "membudget_gate_everywhere", "membudget_gate_alone"
_DEPLOY = "deploy::membudget"


class Gate:
    """Registered where the option is given.  ``what`` is read by project/selection.py.

    With the option and no path on the command line, the project's tests are left alone.  An option
    of the ini file or of addopts adds the migrations to them.
    """

    def __init__(self, config: pytest.Config, what: str) -> None:
        self._rootpath = config.rootpath
        self._what = what
        asked = config.args_source == pytest.Config.ArgsSource.ARGS
        named = any(one.startswith(_OPTION) for one in config.invocation_params.args)
        from_controller = getattr(config, "workerinput", {})
        self._everywhere = from_controller.get(_EVERYWHERE, not asked)
        self._alone = from_controller.get(_ALONE, named and not asked)
        self._opened: set[Path] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """pytest reads a folder again for each file in it that it was given, so it gets folders."""
        if self._everywhere:
            beside = [] if self._alone else session.config.args
            folders = dict.fromkeys(file.parent for file in self._by_file)
            tests = {Path(one.partition("::")[0]).resolve() for one in beside}
            self._opened |= {one for one in folders if tests.isdisjoint([one, *one.parents])}
            session.config.args = [*beside, *map(str, folders)]

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(
        self, collection_path: Path
    ) -> Generator[None, bool | None, bool | None]:
        """Folders with no tests are often left out of the search, and a gate left out would pass.

        pytest 9 drops a path that lies in another one it was given, so naming the folders does not
        suffice.  What lies beside them in such a folder, an environment's packages perhaps, stays
        left out.
        """
        ignored = yield
        path = collection_path.resolve()
        inside = path.parent in self._opened
        if not (ignored or inside or self._alone):
            return ignored
        if path not in self._ways:
            return True
        self._opened.add(path)
        return False

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """A migration that is named on the command line is no module of tests as well."""
        found = yield
        if file_path.suffix != ".py" or self.of(file_path) is None:
            return found
        # pytest has no name for the file of an installed package, which is outside of rootdir.
        outside = self._rootpath not in file_path.parents
        nodeid = short_path(str(file_path)) if outside else None
        return [MigrationFile.from_parent(parent, path=file_path, nodeid=nodeid)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of xdist gets the paths of testpaths as if they had been asked for."""
        node.workerinput |= {_EVERYWHERE: self._everywhere, _ALONE: self._alone}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """In the order in which they are applied, after the tests; each once.

        A deploy is in no file that a path could leave out.
        """
        own = {item.gated.keys: item for item in items if isinstance(item, MigrationItem)}
        files = list(self._by_file)
        if self._everywhere and files and not own and not session.config.getoption("lf", False):
            raise pytest.UsageError(
                f"{_OPTION}: none of the {len(files)} selected migrations was collected, "
                f"for instance {short_path(str(files[0]))}, so none would be checked"
            )
        items[:] = [item for item in items if not isinstance(item, MigrationItem)]
        for gated in self._gated:
            if gated.keys in own:
                items.append(own[gated.keys])
            elif gated.file is None:
                deploy = MigrationItem.from_parent(
                    session, name="membudget", nodeid=_DEPLOY, gated=gated
                )
                session.config.hook.pytest_itemcollected(item=deploy)
                items.append(deploy)

    def of(self, file: Path) -> Gated | None:
        """The migration of a file, if the gate is about it."""
        # To resolve each file that pytest looks at would take long.
        return self._by_file.get(file.resolve()) if file.name in self._names else None

    @cached_property
    def _by_file(self) -> dict[Path, Gated]:
        return {one.file: one for one in self._gated if one.file is not None}

    @cached_property
    def _names(self) -> set[str]:
        return {file.name for file in self._by_file}

    @cached_property
    def _ways(self) -> set[Path]:
        """The gated files, and the folders that lead to them."""
        return {path for file in self._by_file for path in (file, *file.parents)}

    @cached_property
    def _gated(self) -> list[Gated]:
        """In order.  The project is loaded when it is asked for first, not at start-up."""
        from pytest_membudget.check.planner import select_migrations
        from pytest_membudget.errors import BudgetError
        from pytest_membudget.texts import log_text, visible

        try:
            return select_migrations(self._what, self._rootpath)
        except BudgetError as error:
            text = visible(f"{_OPTION}: {error}")
            raise pytest.UsageError(log_text(text)) from None


class MigrationFile(pytest.File):
    """A file of the migrations that the gate is about."""

    def collect(self) -> Iterator[MigrationItem]:
        gate = self.config.pluginmanager.getplugin("membudget-gate")
        yield MigrationItem.from_parent(self, name="membudget", gated=gate.of(self.path))


class MigrationItem(pytest.Item):
    """One migration, or those of one deploy; its guard measures, as for a test with no body."""

    def __init__(self, *, gated: Gated, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gated = gated
        if gated.irreversible is not None:
            # There is no way back to measure, and what a rollback takes up to here is other items'.
            reason = f"a rollback ends here: {gated.irreversible} can't be reversed"
            self.add_marker(pytest.mark.skip(reason=reason))

    def runtest(self) -> None:
        """Nothing of its own."""

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, label_of(self.gated.keys)
