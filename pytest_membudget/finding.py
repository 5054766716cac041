"""What the reader of a verdict should know about how it came about."""

from __future__ import annotations

from dataclasses import dataclass

# Noticed in the project, before anything is run.
CODE_LEFT_OUT, ROUTED_ELSEWHERE = "code-left-out", "routed-elsewhere"


@dataclass(frozen=True)
class Finding:
    """A remark with a stable code, which a script can look for."""

    code: str
    message: str
