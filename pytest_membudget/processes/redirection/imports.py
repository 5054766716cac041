"""Call a function on a module when it has been imported, or now where that is the case."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_waiting: dict[str, list[Callable[[Any], None]]] = {}


class _Sought(threading.local):
    """The modules that a thread is asking the other finders for."""

    def __init__(self) -> None:
        self.names: set[str] = set()


_sought = _Sought()


def after_import(name: str, change: Callable[[Any], None]) -> None:
    """Have ``change`` called with the module ``name``, before any importer gets it."""
    if name in sys.modules:
        change(sys.modules[name])
        return
    if not _waiting:
        sys.meta_path.insert(0, _Finder())
    _waiting.setdefault(name, []).append(change)


class _Finder:
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _waiting or name in _sought.names:
            return None
        _sought.names.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            _sought.names.discard(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            # It may only have been looked for before.
            for change in _waiting.pop(name, ()):
                change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
