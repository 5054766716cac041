"""The awkward models, and how to grow each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django import VERSION

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STEPS = (1000, 1400, 2100)
IMPOSSIBLE = {"Grade", "TooNarrow", "Impossible", "Unloadable", "Limited", "Absent"}
# A check of a column that counts up, two of one name, a type of SQLite's, keys that InnoDB refuses.
NOT_ON_MARIADB = {"awkward.Tree", "awkward.Checked", "awkward.Customs", "awkward.Referring"}
NO_TABLES = {"Level", "Stamped", "CiText", "ColumnType"}

Run = Callable[..., dict[str, Any]]


def labels(app: str) -> list[str]:
    """The models of an app that can be seeded, read without Django."""
    names = re.findall(r"^class (\w+)", (HERE / app / "models.py").read_text(), re.M)
    return [f"{app}.{name}" for name in names if name not in IMPOSSIBLE | NO_TABLES]


BOTH = ["awkward", *(["awkward_newest"] if VERSION >= (5, 2) else [])]
APPS = {
    "sqlite": BOTH,
    "postgresql": [*BOTH, "awkward_postgresql", "awkward_extensions"],
    "mysql": BOTH,
}
EVERY = [
    (vendor, label)
    for vendor, apps in APPS.items()
    for app in apps
    for label in labels(app)
    if vendor != "mysql" or label not in NOT_ON_MARIADB
]


def all_cases(vendor: str, steps: Sequence[int] = STEPS, **more: Any) -> dict[str, Any]:
    return {
        label: {"ladder": [{label: rows} for rows in steps], "digest": True, **more}
        for where, label in EVERY
        if where == vendor
    }
