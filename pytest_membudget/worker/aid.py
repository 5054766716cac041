"""What accompanies a run that is not measured, or that tries a change."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any


def aid(asked: dict[str, Any], reply: dict[str, Any]) -> ExitStack:
    """``asked`` may hold ``capture`` (memray's file), ``observe`` and ``changes``.

    ``folders`` are those of the migrations' apps.  What was observed goes into ``reply``.
    """
    from pytest_membudget.frames import Ownership

    owned = Ownership(asked.get("folders", []))
    accompanied = ExitStack()
    if asked.get("observe"):
        from pytest_membudget.worker.observer import observed

        accompanied.enter_context(observed(owned, reply))
    for change in asked.get("changes", []):
        from pytest_membudget.worker.changes import changed

        accompanied.enter_context(changed(change, owned))
    if "capture" in asked:
        from pytest_membudget.attribution.capture import capture

        accompanied.enter_context(capture(asked["capture"]))
    return accompanied
