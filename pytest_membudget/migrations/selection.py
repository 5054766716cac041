"""Which migrations a gate is about, and what production has applied before each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_membudget.errors import BudgetError
from pytest_membudget.frames import Ownership
from pytest_membudget.migrations.history import History, Key, history
from pytest_membudget.repository import Repository

OWN, ALL = "own", "all"


@dataclass(frozen=True)
class Gated:
    """A migration to be measured: ``later`` are those of the same gate that come after it.

    ``told_apart`` says why it needs no measuring, None where it does.
    """

    key: Key
    file: Path
    later: tuple[Key, ...]
    told_apart: str | None


def select(what: str, rootdir: Path) -> list[Gated]:
    """The migrations that ``what`` means, in the order in which they are applied.

    It is ``"own"``, those that no installed package brings, ``"all"``, an app, ``"app.name"``, a
    file or folder, or a git ref, whose merge base with HEAD lacks them or has them otherwise.
    Raises BudgetError for anything else.
    """
    project = history()
    files = {key: Path(file).resolve() for key, file in project.every_file().items()}
    existed: Callable[[Path], bool] = lambda file: True  # noqa: E731
    if what == OWN:
        owned = Ownership([])
        wanted = {key for key in project.loader.graph.nodes if owned.is_own(str(files[key]))}
    elif what == ALL:
        wanted = set(project.loader.graph.nodes)
    elif what in project.loader.migrated_apps:
        wanted = {key for key in project.loader.graph.nodes if key[0] == what}
    elif what.partition(".")[0] in project.loader.migrated_apps:
        wanted = {project.find(what)}
    elif (rootdir / what).exists():
        path = (rootdir / what).resolve()
        wanted = {key for key, file in files.items() if file == path or path in file.parents}
    else:
        try:
            repository = Repository(rootdir, what)
        except BudgetError as error:
            raise BudgetError(
                f"{what!r} is no app with migrations, no migration, no path and no git ref: {error}"
            ) from None
        changed = repository.changed_files()
        wanted = {key for key, file in files.items() if file in changed}
        existed = repository.had
    ordered = [key for key in project.order() if key in wanted]
    return [
        Gated(
            key,
            files[key],
            tuple(ordered[place + 1 :]),
            _replaces(project, key, files, existed) or project.does_nothing([key]),
        )
        for place, key in enumerate(ordered)
    ]


def _replaces(
    project: History, key: Key, files: dict[Key, Path], existed: Callable[[Path], bool]
) -> str | None:
    """A squashed migration is recorded, not run, where what it replaces has been applied."""
    replaced = project.loader.disk_migrations[key].replaces
    folder = files[key].parent
    known = [name for app, name in replaced if app != key[0] or existed(folder / f"{name}.py")]
    if not known:
        return None
    return f"replaces {len(replaced)} migrations that production has applied, and is only recorded"
