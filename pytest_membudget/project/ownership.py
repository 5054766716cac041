"""Whose code a line is: the project's own, or a library's."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType

_PACKAGE = str(Path(__file__).parents[1])
_INSTALLED = ("/site-packages/", "/dist-packages/")


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
        installed = any(folder in file for folder in _INSTALLED)
        return not installed and not file.startswith(("<", *self._libraries))


@cache
def is_own_file(file: str) -> bool:
    """Whether it is neither Python's, Django's nor an installed package's."""
    return Ownership([]).is_own(file)


def is_own_source(source: CodeType | ModuleType | None) -> bool:
    """The same of the file of a module or a function's code; not of what is built in."""
    # The exact type: isinstance() asks a lazy object for its class, which makes it work.
    if type(source) is CodeType:
        return is_own_file(source.co_filename)
    file = getattr(source, "__file__", None)
    return file is not None and is_own_file(str(file))


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
