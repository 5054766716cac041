"""What ``import pytest_membudget`` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_membudget

NAMES = [name for name in pytest_membudget.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_a_documented_class(name: str) -> None:
    kind = getattr(pytest_membudget, name)
    assert isinstance(kind, type)
    assert kind.__name__ == name
    assert kind.__doc__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Reuslt'"):
        _ = pytest_membudget.Reuslt


def test_the_package_imports_nothing_by_itself() -> None:
    code = (
        "import __future__, sys, typing; before = set(sys.modules); import pytest_membudget\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['pytest_membudget']\n"


def test_pure_modules_import_no_framework() -> None:
    judge = ("judge.projection", "judge.ladder", "judge.verdict")
    pure = (*judge, "budget.request", "units", "sample")
    names = ", ".join(f"pytest_membudget.{module}" for module in pure)
    code = (
        f"import sys, {names}\n"
        "print(sorted({'django', 'pytest', 'psutil', 'memray', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
