"""The documents that a migration goes into, and the keys by which it does.

The worker imports this module only after a failure, as breakage.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from pytest_membudget.processes.worker.stack import Place, chain

_MOST_KEYS = 1000


def paths_in(at: Place, base: str) -> Iterator[tuple[str, ...]]:
    """The constant keys by which the function's code goes into an expression, and into names for
    what it finds there.
    """
    known: dict[str, tuple[str, ...]] = {base: ()}
    nodes = list(ast.walk(at.function()))

    def path(node: ast.expr) -> tuple[str, ...] | None:
        root, keys = chain(node)
        names = [getattr(one, "value", None) for one in keys]
        texts = [one for one in names if isinstance(one, str)]
        start = known.get(ast.dump(root))
        return (*start, *texts) if len(texts) == len(keys) and start is not None else None

    for node in nodes:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        source, loop = getattr(node, "value", None), getattr(node, "iter", None)
        over = loop if loop is not None else source
        if isinstance(targets[0], ast.Name) and over is not None and (found := path(over)):
            known[ast.dump(ast.Name(targets[0].id, ast.Load()))] = (*found, *["*"] * bool(loop))
    for node in nodes:
        if isinstance(node, ast.Subscript | ast.Call) and not _is_set(node) and (one := path(node)):
            yield one
    yield from (one for one in known.values() if one)


def _is_set(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def document_of(part: Any, places: list[Place]) -> tuple[Any, list[Any]]:
    """The largest document of a row, or of a local name, that holds ``part``, and its path."""
    best: tuple[Any, list[Any]] = (part, [])
    for place in places:
        for value in list(place.frame.f_locals.values()):
            fields = getattr(value, "__dict__", {})
            held = fields.values() if "_state" in fields else [value]
            for document in held:
                # A larger one, or a list that is no row's, holds many rows.
                if isinstance(document, dict) and len(document) < _MOST_KEYS:
                    found = _path_to(part, document)
                    if found and len(found) > len(best[1]):
                        best = document, found
    return best


def _path_to(part: Any, document: Any, deep: int = 8) -> list[Any] | None:
    if document is part:
        return []
    if not deep or not isinstance(document, dict | list):
        return None
    for key, one in document.items() if isinstance(document, dict) else enumerate(document):
        if (found := _path_to(part, one, deep - 1)) is not None:
            return [key, *found]
    return None
