"""Python's audit events that something is done about, in one hook for all of them.

Python calls each hook at each event: copy.deepcopy() raises several for an object, by id().
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Handler = Callable[[tuple[Any, ...]], object]

_handlers: dict[str, list[Handler]] = {}


def on_event(event: str, handle: Handler) -> None:
    """Have ``handle`` called with the arguments of an event, after those that were there before."""
    if not _handlers:
        sys.addaudithook(_audit)
    _handlers.setdefault(event, []).append(handle)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in _handlers:
        for handle in _handlers[event]:
            handle(args)
