"""The awkward models, and how to grow each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django import VERSION

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STEPS = (1000, 1700, 2500)
IMPOSSIBLE = {"Grade", "TooNarrow", "Impossible", "Unloadable", "Limited", "Absent"}

Run = Callable[..., dict[str, Any]]


def labels(app: str) -> list[str]:
    """The models of an app that can be seeded, read without Django."""
    source = (HERE / app / "models.py").read_text()
    names = re.findall(
        r"^class (\w+)\((?:models\.Model|\w*Place|Stamped|Restaurant)\)", source, re.M
    )
    return [f"{app}.{name}" for name in names if name not in {*IMPOSSIBLE, "Stamped"}]


BOTH = ["awkward", *(["awkward_newest"] if VERSION >= (5, 2) else [])]
APPS = {
    "sqlite": BOTH,
    "postgresql": [*BOTH, "awkward_postgresql", "awkward_extensions"],
}
EVERY = [(vendor, label) for vendor, apps in APPS.items() for app in apps for label in labels(app)]


def all_cases(vendor: str, steps: Sequence[int] = STEPS) -> dict[str, Any]:
    wanted = [label for where, label in EVERY if where == vendor]
    return {label: {"ladder": [{label: step} for step in steps]} for label in wanted}
