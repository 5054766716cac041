"""Whose code a line is: the project's own, or a library's."""

from __future__ import annotations

import linecache
import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])


class Ownership:
    """Tells the project's code from that of libraries.

    ``folders`` belong to the project wherever they are: those of the migrations' apps, which may
    have been installed from a package.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._own = tuple(f"{folder}/" for folder in folders)
        paths = [
            sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
        ]
        packages = [*site.getsitepackages(), site.getusersitepackages(), _PACKAGE]
        if (django := sys.modules.get("django")) is not None:
            packages.append(str(Path(str(django.__file__)).parent))
        self._libraries = tuple(f"{path}/" for path in [*paths, *packages])

    def is_own(self, file: str) -> bool:
        if file.startswith(self._own):
            return True
        return not file.startswith(("<", *self._libraries))


def is_ours(file: str) -> bool:
    """Whether it is a file of this package, which stands between the migration and the driver."""
    return file.startswith(f"{_PACKAGE}/")


def short_path(file: str) -> str:
    """As its reader knows it: from the working directory, or from where packages are installed."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        within = path.relative_to(Path.cwd())
        if "site-packages" not in within.parts:
            return str(within)
    for mark in ("/site-packages/", f"/python{sys.version_info[0]}.{sys.version_info[1]}/"):
        if mark in file:
            return file.rpartition(mark)[2]
    return file


def source_line(file: str, line: int) -> str:
    return linecache.getline(file, line).strip()
