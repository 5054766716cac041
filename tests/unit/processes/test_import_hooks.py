"""Changes to modules that have yet to be imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from pytest_membudget.processes.redirection import imports


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the modules that were changed so far; ``later`` is one that is to be."""
    (tmp_path / "later.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(imports, "_waiting", {})
    monkeypatch.delitem(sys.modules, "later", raising=False)
    found: list[str] = []
    imports.after_import("later", lambda module: found.append(f"{module.VALUE}"))
    imports.after_import("later", lambda module: found.append(module.__name__))
    return found


def test_a_module_is_changed_as_it_is_imported(changed: list[str]) -> None:
    assert changed == []
    importlib.import_module("later")
    importlib.reload(sys.modules["later"])
    assert changed == ["1", "later"]


def test_also_where_it_was_looked_for_before(changed: list[str]) -> None:
    """A project may ask whether a driver is there, and import it later."""
    assert importlib.util.find_spec("later") is not None
    assert importlib.util.find_spec("later") is not None
    assert changed == []
    importlib.import_module("later")
    assert changed == ["1", "later"]
