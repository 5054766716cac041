"""What ``import pytest_membudget`` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from project import STREAM, Project

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


def test_a_test_is_annotated_and_a_warning_filtered(project: Project) -> None:
    with (project.path / "pytest.ini").open("a") as file:
        file.write("membudget_inconclusive = warn\n")
        file.write("filterwarnings = error::pytest_membudget.MembudgetWarning\n")
    project.migration("0002_stream", STREAM)
    project.migration("0003_none", "def forwards(apps, schema_editor): pass")
    project.write(
        "test_budget.py",
        """
        import pytest
        from pytest_membudget import MemoryBudget, Result, Verdict

        @pytest.mark.membudget("shop.0002", rows={"shop.Order": 400}, limit="512Mi")
        def test_within(membudget: MemoryBudget) -> None:
            result: Result = membudget.check()
            assert isinstance(membudget, MemoryBudget)
            assert result.verdict is Verdict.WITHIN
            assert f"{result.verdict} {result.growth}" == "within constant"

        @pytest.mark.membudget("shop.0003", rows={"shop.Order": 400}, limit="512Mi")
        def test_inconclusive(membudget: MemoryBudget) -> None:
            membudget.check()
        """,
    )
    run = project.run()
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines(["*pytest_membudget.MembudgetWarning: shop.0003_none touched none*"])
