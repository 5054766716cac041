"""What a project says about single migrations, with no test written: pyproject.toml.

[tool.membudget.migrations."shop.0002_backfill_total"]
limit = "1Gi"
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_membudget.errors import BudgetError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KNOWN = ("limit", "rows", "seed", "database", "time_budget", "skip")
_WHERE = "tool.membudget.migrations"


@dataclass(frozen=True)
class Override:
    """``arguments`` are those of a marker; ``skip`` is the reason not to measure, if any."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    skip: str | None = None


def read_overrides(rootdir: Path) -> dict[str, Override]:
    """By migration, as it is written there.  Raises BudgetError, which names the entry."""
    file = rootdir / "pyproject.toml"
    if not file.exists():
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BudgetError(f"pyproject.toml: {error}") from None
    tool = document.get("tool", {}).get("membudget", {})
    migrations = tool.get("migrations", {}) if isinstance(tool, dict) else {}
    if not isinstance(migrations, dict):
        raise BudgetError(f"pyproject.toml: {_WHERE} is no table of migrations")
    return {name: _override(name, settings) for name, settings in migrations.items()}


def _override(name: str, settings: object) -> Override:
    where = f'pyproject.toml: {_WHERE}."{name}"'
    if not isinstance(settings, dict):
        raise BudgetError(f"{where} is no table of settings; write the name in quotes")
    if unknown := sorted(settings.keys() - set(_KNOWN)):
        raise BudgetError(f"{where}: no setting {unknown[0]!r}; there are {', '.join(_KNOWN)}")
    skip = settings.get("skip")
    if "skip" in settings and not (isinstance(skip, str) and skip.strip()):
        raise BudgetError(f'{where}: skip={skip!r} gives no reason; write skip = "why"')
    return Override({key: value for key, value in settings.items() if key != "skip"}, skip)
