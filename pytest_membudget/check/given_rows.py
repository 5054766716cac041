"""What a user gives to make rows: a function, a fixture, or a file of masked rows."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_membudget.budget.options import Setting
from pytest_membudget.budget.request import is_fixture
from pytest_membudget.budget.row_counts import sampled_tables
from pytest_membudget.errors import BudgetError


@contextmanager
def as_budget_error(what: str) -> Iterator[None]:
    """Whatever the project's own code raises while it is read is the project's to mend."""
    try:
        yield
    except BudgetError:
        raise
    except Exception as error:
        from pytest_membudget.project.secrets import known_secrets

        text = known_secrets().hide(str(error))
        raise BudgetError(f"{what}: {type(error).__name__}: {text}") from error


def absolute_rows_file(setting: Setting[str]) -> str:
    """Its absolute path, for processes in other folders.  Raises BudgetError."""
    from pytest_membudget.project.models import every_table

    if not sampled_tables(setting.value) & every_table():
        raise BudgetError(
            f"membudget_rows_file, from {setting.source}: {setting.value} has no rows of a table "
            "of this project"
        )
    return str(Path(setting.value).resolve())


def require_seed(path: str) -> None:
    from pytest_membudget.project.fixtures import find_fixture

    if is_fixture(path):
        find_fixture(path)
    else:
        _require_importable(path)


def _require_importable(path: str) -> None:
    """Look for the module as a fresh process would, whatever this one has imported already."""
    module, _, name = path.rpartition(".")
    search: list[str] | None = None
    for depth in range(1, module.count(".") + 2):
        package = ".".join(module.split(".")[:depth])
        spec = importlib.machinery.PathFinder.find_spec(package, search)
        if spec is None:
            raise BudgetError(
                f"seed: a new process can't import {module!r}; move the function to a module on "
                "the Python path, for instance one of the app"
            )
        search = list(spec.submodule_search_locations or [])
    with as_budget_error(f"seed={path!r} can't be imported"):
        seed = getattr(sys.modules.get(module) or importlib.import_module(module), name)
    if not callable(seed):
        raise BudgetError(f"seed={path!r} is not callable")
