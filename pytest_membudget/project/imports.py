"""The modules of the project that some of its modules import, found in their source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from pytest_membudget.project.ownership import is_own_source
from pytest_membudget.project.syntax import syntax_tree

_IMPORT = re.compile(rb"^.*\bimport.*$", re.MULTILINE)
# What most migrations have, which takes no parser.
_OF_DJANGO = re.compile(rb"\s*(from django(\.[\w.]+)? import [\w, ]+|import django(\.[\w.]+)?)\s*")


def with_imported(names: Iterable[str]) -> set[str]:
    """These modules with all that they import, in functions as well, and with the packages of each.

    What is not loaded was not imported.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name and name not in found and is_own_source(sys.modules.get(name)):
            found.add(name)
            waiting += [name.rpartition(".")[0], *_imports(name)]
    return found


@cache
def _imports(name: str) -> list[str]:
    module = sys.modules[name]
    file = str(module.__file__)
    lines = _IMPORT.findall(_content(file))
    if all(_OF_DJANGO.fullmatch(line) for line in lines):
        return []
    package = module.__package__ or ""
    return [one for node in ast.walk(syntax_tree(file)) for one in _imported(node, package)]


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    """What an import statement names; not all of it are modules."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        name = "." * node.level + (node.module or "")
        base = resolve_name(name, package) if node.level else name
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
