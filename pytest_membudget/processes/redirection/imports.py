"""Call a function on a module when it has been imported, or now where that is the case."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_waiting: dict[str, list[Callable[[Any], None]]] = {}


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
        changes = _waiting.pop(name, None)
        if changes is None:
            return None
        try:
            spec = importlib.util.find_spec(name)
        except BaseException:
            _waiting[name] = changes
            raise
        if spec is None or spec.loader is None:
            _waiting[name] = changes
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for change in changes:
                change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
