"""``--membudget-baseline`` and ``membudget accept``, from outside."""

from __future__ import annotations

import pytest
from project import FEW, LOOP, STREAM, Project

from pytest_membudget.cli.main import main

REASON = "runs in a larger container"
FILE = "membudget-baseline.json"


def accept(project: Project) -> None:
    """The loop exceeds a limit of 20 MB at its first sample."""
    project.migration("0002_loop", LOOP)
    project.migration("0003_stream", STREAM)
    tight = 'limit="20M"'
    project.budgets(('"shop.0002"', FEW, tight), ('"shop.0003"', FEW, tight))
    assert project.run("--membudget-json=results.json").ret == 1
    assert main(["accept", "results.json", "shop.0002", "--reason", REASON]) == 0


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_what_is_accepted_fails_no_run(project: Project, workers: tuple[str, ...]) -> None:
    accept(project)
    run = project.run("-k", "test_0", "-rx", "--membudget-json=results.json", *workers)
    assert run.ret == 0
    run.assert_outcomes(xfailed=1)
    run.stdout.fnmatch_lines(
        [
            f"*baseline {FILE} (from the rootdir)*",
            "*shop.0002_loop*exceeds (accepted)*",
            f"*shop.0002_loop: accepted on *: {REASON}",
            f"*XFAIL*test_0*accepted on *: {REASON}*",
        ]
    )
    [result] = project.read_results()
    assert (result["verdict"], result["outcome"]) == ("exceeds", "xfailed")
    assert result["accepted"]["reason"] == REASON


def test_another_failure_fails_the_run(project: Project) -> None:
    accept(project)
    run = project.run()
    assert run.ret == 1
    run.assert_outcomes(xfailed=1, failed=1)
    assert project.run("-k", "test_0", "--runxfail").ret == 1


def test_a_stale_entry_is_told_and_a_wrong_file_refused(project: Project) -> None:
    accept(project)
    project.budgets(('"shop.0002"', FEW, 'limit="512M"'))
    run = project.run()
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines([f"shop.0002_loop is within, so {FILE} need not accept it any more*"])
    project.write(FILE, "{}")
    run = project.run()
    assert run.ret == 4
    run.stderr.fnmatch_lines([f"*{FILE}: *"])
    run = project.run("--membudget-baseline=missing.json")
    run.stdout.fnmatch_lines(["there is no missing.json, so no failure is accepted"])
