"""The facts of the database engines are in one place, and the rest of the package asks for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import pytest_membudget
from pytest_membudget.database.engine import SUPPORTED, Engine, engine_of
from pytest_membudget.database.scratch.base import ScratchDatabases

PACKAGE = Path(pytest_membudget.__file__).parent


def compared_vendors(path: Path) -> Iterator[str]:
    """The lines of a module that compare a vendor with a text."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Compare) and ast.unparse(node.left).split(".")[-1] == "vendor":
            texts = [one for other in node.comparators for one in ast.walk(other)]
            if any(isinstance(one, ast.Constant) and one.value for one in texts):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_no_module_compares_vendors() -> None:
    found = [line for path in PACKAGE.rglob("*.py") for line in compared_vendors(path)]
    assert found == []


@pytest.mark.parametrize("engine", SUPPORTED.values(), ids=lambda engine: engine.vendor)
def test_an_engine_has_what_its_scratch_databases_need(engine: Engine) -> None:
    assert engine_of(engine.vendor) is engine
    module, _, name = engine.scratch.partition(".")
    kind = getattr(import_module(f"pytest_membudget.database.scratch.{module}"), name)
    assert issubclass(kind, ScratchDatabases)
    assert engine.embedded or engine.drop


def test_of_another_engine_nothing_is_known() -> None:
    assert engine_of("oracle") == Engine("oracle")
