"""The migrations that a gate measures, and what production has applied before each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from pytest_membudget.errors import BudgetError
from pytest_membudget.project.git import Repository
from pytest_membudget.project.graph import Key, history, history_with
from pytest_membudget.project.operations import does_nothing, file_of, irreversible
from pytest_membudget.project.ownership import is_own_file

OWN, ALL, DEPLOY, REVERSE = "own", "all", "deploy:", "reverse:"


@dataclass(frozen=True)
class Gated:
    """What is measured as one: a migration, or with ``file`` None all those of a deploy.

    ``later`` are the migrations of the same gate that come after it, with all that depend on them;
    ``skip_reason`` says why no rows have to be made for it, None where they do.  ``after`` are the
    migrations of a state in which it is applied; following migrations without rows share one state,
    so all of them are weighed by building it.  ``recorded`` says that production only records it.
    ``modified`` are migrations that a deploy leaves out: the ref has their files with another text.
    With ``reverse`` it is unapplied, unless it is ``irreversible``, which names the operation.
    """

    keys: tuple[Key, ...]
    file: Path | None
    later: frozenset[Key]
    skip_reason: str | None
    after: tuple[Key, ...] = ()
    recorded: bool = False
    modified: tuple[Key, ...] = ()
    reverse: bool = False
    irreversible: str | None = None


def select(what: str, rootdir: Path) -> list[Gated]:
    """The migrations that ``what`` means, in the order in which they are applied.

    It is ``"own"``, those that no installed package brings, ``"all"``, an app, ``"app.name"``, a
    file or folder, or a git ref, whose merge base with HEAD lacks them or has them otherwise.
    After ``"deploy:"`` they are one, without those that the merge base has; after ``"reverse:"``
    they are unapplied, the last one first.  Raises BudgetError for anything else.
    """
    if what.startswith(REVERSE):
        return _rollback(_Choice(what.removeprefix(REVERSE), rootdir))
    chosen = _Choice(what.removeprefix(DEPLOY), rootdir)
    keys = chosen.keys
    if what.startswith(DEPLOY):
        modified = tuple(key for key in keys if chosen.files[key] in chosen.modified)
        applied = tuple(key for key in keys if key not in modified and chosen.replaces(key) is None)
        if not applied:
            return []
        before = history_with(applied).applied_before(applied)
        skip_reason = does_nothing(history().migrations(applied))
        every = (*before, *applied)
        return [Gated(applied, None, frozenset(), skip_reason, every, modified=modified)]
    project, later = history_with(keys), frozenset[Key]()
    gated: list[Gated] = []
    after: tuple[Key, ...] = ()
    for key in reversed(keys):
        replaces = chosen.replaces(key)
        skip_reason = replaces or does_nothing(history().migrations([key]))
        if replaces or skip_reason is None:
            after = ()
        if skip_reason is not None and not after:
            own = history_with([key]) if replaces else project
            after = (*own.applied_before([key], without=later), key)
        file, recorded = chosen.files[key], replaces is not None
        gated.append(Gated((key,), file, later, skip_reason, after, recorded))
        if replaces:
            after = ()
        later |= project.depending_on([key])
    return gated[::-1]


def _rollback(chosen: _Choice) -> list[Gated]:
    """Each migration as it is unapplied after all of the gate that come after it."""
    gated: list[Gated] = []
    later = frozenset[Key]()
    for key in reversed(chosen.keys):
        if chosen.replaces(key) is not None:
            continue  # it is only recorded, and what it replaces is there
        migrations = history().migrations([key])
        skip_reason = does_nothing(migrations, reverse=True)
        gated.append(
            Gated(
                (key,),
                chosen.files[key],
                later,
                skip_reason,
                reverse=True,
                irreversible=irreversible(migrations),
            )
        )
        later |= history_with(chosen.keys).depending_on([key])
    return gated


class _Choice:
    """``keys`` in the order of the graph, with the ``files`` of all.

    ``modified`` are the files that a git ref has with another text.
    """

    def __init__(self, what: str, rootdir: Path) -> None:
        self.modified: set[Path] = set()
        self._project = history()
        self._existed: Callable[[Path], bool] = lambda file: True
        self.files = {
            key: Path(file_of(migration)).resolve()
            for key, migration in self._project.loader.disk_migrations.items()
        }
        wanted = self._wanted(what, rootdir)
        self.keys = [key for key in self._project.order() if key in wanted]

    def replaces(self, key: Key) -> str | None:
        """A squashed migration is recorded, not run, where what it replaces has been applied."""
        replaced = self._project.loader.disk_migrations[key].replaces
        folder = self.files[key].parent
        if not any(app != key[0] or self._existed(folder / f"{name}.py") for app, name in replaced):
            return None
        return (
            f"replaces {len(replaced)} migrations that production has applied, so it is recorded "
            "and not run"
        )

    def _wanted(self, what: str, rootdir: Path) -> Collection[Key]:
        loader, files = self._project.loader, self.files
        apps, nodes = loader.migrated_apps, loader.graph.nodes
        if what == OWN:
            return {key for key in nodes if is_own_file(str(files[key]))}
        if what == ALL:
            return set(nodes)
        if what in apps:
            return {key for key in nodes if key[0] == what}
        if what.partition(".")[0] in apps:
            return {self._project.find(what)}
        if (rootdir / what).exists():
            path = (rootdir / what).resolve()
            found = {key for key, file in files.items() if file == path or path in file.parents}
            if not found:
                raise BudgetError(
                    f"there are no migrations in {what!r}; to pass it to pytest as a path, write "
                    f"--membudget-gate=own {what}"
                )
            return found
        try:
            repository = Repository(rootdir, what)
        except BudgetError as error:
            raise BudgetError(
                f"{what!r} is not an app with migrations, a migration, a path or a git ref: {error}"
            ) from None
        self._existed = repository.had
        self.modified = repository.modified_files()
        changed = repository.changed_files()
        return {key for key, file in files.items() if file in changed}
