"""The settings module in pytest's ini file, for commands that run without pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_membudget.project.ini_file import ini_settings

INI = "DJANGO_SETTINGS_MODULE = config.settings\n"
TOML = 'DJANGO_SETTINGS_MODULE = "config.settings"\nDJANGO_CONFIGURATION = "Test"\n'
FILES = {
    "pytest.ini": f"[pytest]\n{INI}",
    ".pytest.ini": f"[pytest]\n{INI}",
    "tox.ini": f"[tox]\nenvlist = a\n[pytest]\n{INI}",
    "setup.cfg": f"[tool:pytest]\n{INI}",
    "pyproject.toml": f"[tool.pytest.ini_options]\n{TOML}",
    "pytest.toml": f"[pytest]\n{TOML}",
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_found_from_a_folder_below(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name])
    below = tmp_path / "shop" / "migrations"
    below.mkdir(parents=True)
    found = ini_settings(below)
    assert found["DJANGO_SETTINGS_MODULE"] == "config.settings"
    assert ("DJANGO_CONFIGURATION" in found) == name.endswith(".toml")


def test_a_file_of_another_tool_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    (tmp_path / "tox.ini").write_text("not an ini file")
    (tmp_path / "setup.cfg").write_text(FILES["setup.cfg"])
    assert ini_settings(tmp_path) == {"DJANGO_SETTINGS_MODULE": "config.settings"}


def test_an_empty_pytest_ini_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(FILES["pytest.ini"])
    below = tmp_path / "below"
    below.mkdir()
    (below / "pytest.ini").write_text("")
    assert ini_settings(below) == {}


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\npytest = 5\n")
    (tmp_path / "pytest.toml").write_bytes(b"\xff")
    assert ini_settings(tmp_path) == {}
