"""The modules of a project that some of its modules import."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_membudget.project import imports
from pytest_membudget.project.imports import with_imported
from pytest_membudget.project.syntax import without_classes

MODULES = {
    "depot/__init__.py": "",
    "depot/plain.py": "from django.db import migrations, models\nimport django.db.models\n",
    "depot/direct.py": "import depot.models.stock\n",
    "depot/as_name.py": "from depot.models import stock as of_today\n",
    "depot/relative.py": "from .models import stock\n",
    "depot/above.py": "from . import models\n",
    "depot/later.py": "def forwards():\n    if True: import os, depot.models\n",
    "depot/through.py": "from depot import helpers\n",
    "depot/helpers.py": "from depot.models.stock import Stock\n",
    "depot/models/__init__.py": "from depot.models.stock import *\n",
    "depot/models/stock.py": "import depot.fields\nclass Stock: ...\n",
    "depot/fields.py": "",
}


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in MODULES:
        importlib.import_module(
            name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        )
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "depot"]:
        del sys.modules[name]
    imports._imports.cache_clear()


@pytest.mark.parametrize("name", ["direct", "as_name", "relative", "above", "later"])
def test_what_is_imported_and_what_that_imports(depot: Path, name: str) -> None:
    models = {"depot", "depot.models", "depot.models.stock", "depot.fields"}
    assert with_imported([f"depot.{name}"]) == {f"depot.{name}", *models}
    assert with_imported(["depot.through"]) == {"depot.through", "depot.helpers", *models}


def test_nothing_of_the_project_is_imported(depot: Path) -> None:
    assert with_imported(["depot.plain"]) == {"depot.plain", "depot"}
    assert with_imported(["django.db.models", "depot.absent", ""]) == set()


def test_a_module_without_its_classes(tmp_path: Path) -> None:
    file = tmp_path / "models.py"

    def text(source: str) -> str:
        file.write_text(source)
        return without_classes(str(file))

    plain = text("import os\nclass A:\n    x = 1\n")
    assert plain == text("import os\nclass A:\n    y = 2\n\nclass B: ...\n")
    others = {
        text("import sys\nclass A: ...\n"),
        text("import os\nclass A: ...\nconnect(A)\n"),
        text("import os\n@register\nclass A: ...\n"),
        text("import os\n@register\nclass A: x = 1\n"),
        text("import os\nclass A: ...\ndef f(): return 1\n"),
        text("import os\nclass A: ...\ndef f(): return 2\n"),
        text("import os\nclass A: ...\nA.x = 1\n"),
    }
    assert plain not in others
    assert len(others) == 7
