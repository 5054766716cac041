"""The settings module that pytest's ini file names, for commands that run without pytest."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# In the order in which pytest looks for them, with the section that makes each its ini file.
_FILES = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool", "pytest"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}


def ini_settings(folder: Path) -> dict[str, str]:
    """``DJANGO_SETTINGS_MODULE`` and ``DJANGO_CONFIGURATION`` of the ini file of a folder.

    It is the first one in the folder or above it, as pytest finds it; what can't be read is none.
    """
    for one in (folder, *folder.parents):
        for name, path in _FILES.items():
            section = _section(one / name, path)
            own = name.lstrip(".").startswith("pytest.")  # pytest's own, even if it is empty
            if section is not None or (own and (one / name).is_file()):
                names = "DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION"
                lowered = {key.lower(): value for key, value in (section or {}).items()}
                found = {key: lowered.get(key.lower()) for key in names}
                return {key: str(value) for key, value in found.items() if value}
    return {}


def _section(file: Path, path: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    if file.suffix != ".toml":
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            return None
        return dict(parser[path[0]]) if parser.has_section(path[0]) else None
    try:
        table: Any = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return None
    options = table.get("ini_options", table)  # pytest 9 needs no table below its own
    return options if isinstance(options, dict) else None
