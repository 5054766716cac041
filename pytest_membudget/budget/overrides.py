"""What a project says about single migrations, with no test written: pyproject.toml.

[tool.membudget.migrations."shop.0002_backfill_total"]
limit = "1Gi"
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import UNSET, Struct, UnsetType, to_builtins

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert
from pytest_membudget.texts import shown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TOP = "tool.membudget"


class _Settings(Struct, frozen=True):
    """What a marker takes, read by :func:`.request.read_marker`, and ``skip``."""

    limit: int | str | UnsetType = UNSET
    rows: dict[str, int | str] | UnsetType = UNSET
    seed: str | UnsetType = UNSET
    grow: bool | UnsetType = UNSET
    database: str | UnsetType = UNSET
    time_budget: float | str | UnsetType = UNSET
    max_duration: float | str | UnsetType = UNSET
    limit_server: int | str | UnsetType = UNSET
    skip: str | UnsetType = UNSET


class _Membudget(Struct, frozen=True):
    migrations: dict[str, _Settings] = {}


class _Tool(Struct, frozen=True):
    membudget: _Membudget = _Membudget()


class _Pyproject(Struct, frozen=True):
    tool: _Tool = _Tool()


@dataclass(frozen=True)
class Override:
    """``arguments`` are those of a marker; ``skip`` is the reason not to measure, if any."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    skip: str | None = None


def read_overrides(rootdir: Path) -> dict[str, Override]:
    """By migration, as it is written there.  Raises BudgetError, which names the entry."""
    file = rootdir / "pyproject.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BudgetError(f"pyproject.toml: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise BudgetError(f"pyproject.toml: {error}") from None
    except RecursionError:
        raise BudgetError("pyproject.toml is nested too deeply") from None
    pyproject = convert(document, _Pyproject, "pyproject.toml")
    written = document.get("tool", {}).get("membudget", {})
    _only_known(written, _Membudget, _TOP)
    found = {}
    for name, settings in pyproject.tool.membudget.migrations.items():
        where = f'{_TOP}.migrations."{name}"'
        _only_known(written["migrations"][name], _Settings, where)
        arguments = to_builtins(settings)
        skip = arguments.pop("skip", None)
        if skip is not None and not skip.strip():
            raise BudgetError(
                f'pyproject.toml: {where}: skip={skip!r} gives no reason; write skip = "why"'
            )
        found[name] = Override(arguments, skip)
    return found


def _only_known(table: Mapping[str, Any], kind: type[Struct], where: str) -> None:
    known = kind.__struct_fields__
    unknown = next((name for name in table if name not in known), None)
    if unknown is None:
        return
    close = difflib.get_close_matches(unknown, known, n=1)
    text = f"{where}: unknown setting {shown(unknown)}; the settings are {', '.join(known)}"
    if close:
        text += f"; did you mean {close[0]}?"
    elif kind is _Membudget:
        text += "; settings for every migration are pytest options, such as membudget_limit"
    elif isinstance(table[unknown], dict):
        text += "; write the migration's name in quotes"
    raise BudgetError(f"pyproject.toml: {text}")
