"""A rollback: each migration of the gate is unapplied, the last one first."""

from __future__ import annotations

import pytest
from project import LOOP, STREAM, Project

ROLLBACK = ("--membudget-gate=reverse:shop", "--membudget-limit=512Mi", "--membudget-rows=*=8_000")
BACK = LOOP.replace("def forwards", "def backwards")
FORTH = "\ndef forwards(apps, schema_editor): ...\n"


@pytest.mark.usefixtures("vendor")
def test_what_a_rollback_would_take(project: Project) -> None:
    project.migration("0002_loops_back", BACK + FORTH, backwards="backwards")
    project.migration("0003_only_back", BACK, backwards="backwards")
    only_back = project.path / "shop/migrations/0003_only_back.py"
    only_back.write_text(only_back.read_text().replace("(forwards,", "(migrations.RunPython.noop,"))
    project.migration("0004_stream", STREAM)
    results = {one["migration"]: one for one in project.results(*ROLLBACK)}
    loops = [results.pop("shop.0002_loops_back"), results.pop("shop.0003_only_back")]
    # 0004 can't be reversed, and nothing of the way back of 0001 loads a row.
    assert {"shop.0001_initial"} == results.keys()
    assert {one["verdict"] for one in (*loops, *results.values())} == {"within"}
    for loop in loops:
        assert loop["reverse"]
        assert loop["samples"][-1]["rows_read"] == 8_000


@pytest.mark.usefixtures("vendor")
def test_a_rollback_that_does_not_fit(project: Project) -> None:
    project.migration("0002_loops_back", BACK + FORTH, backwards="backwards")
    project.migration("0003_stream", STREAM)
    many = ("--membudget-limit=128Mi", "--membudget-rows=*=160_000")
    done = project.run("--membudget-gate=reverse:shop.0002", *many)
    done.assert_outcomes(failed=1)
    assert "shop.0002_loops_back (reverse) would peak at" in str(done.stdout)
