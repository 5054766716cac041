"""An explanation that the time budget cuts, and ``membudget explain``, which gives it later."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from project import Project

# Three seconds for the rows of the first sample, which pass the limit.
SLOW = """
import time

def forwards(apps, schema_editor):
    orders = list(apps.get_model("shop", "Order").objects.all())
    time.sleep(len(orders) * 0.0015)
    kept = []
    for order in orders:
        kept.append(str(order.number) * 10_000)
"""
MARKER = ('"shop.0002"', 'rows={"shop.Order": 8_000}', 'limit="64Mi"', "time_budget=10")


@pytest.fixture
def shop(project: Project) -> Project:
    project.attribution = None
    project.migration("0002_slow", SLOW)
    project.budget(*MARKER)
    return project


def explain(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest_membudget", "explain", "results.json", *arguments]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, sep="\n")
    return done


def waited(result: dict[str, Any]) -> float:
    return float(sum(result["seconds"].values()) - result["seconds"]["state"])


def test_an_explanation_ends_with_the_time_budget_and_is_had_later(shop: Project) -> None:
    run = shop.run("--membudget-json=results.json")
    [result] = shop.read_results()
    assert (result["verdict"], result["attribution"], result["advice"]) == ("exceeds", [], [])
    assert waited(result) < 14
    left = "the time budget of 10 s left no time for growth by line and advice; run `membudget"
    assert result["attribution_note"].startswith(left)
    assert "explain FILE shop.0002_slow" in " ".join(run.outlines)

    before = (shop.path / "results.json").read_text()
    done = explain(shop, "shop.0002", "--json=explained.json")
    assert done.returncode == 1
    assert "growth by line" in done.stdout
    assert "kept.append(str(order.number) * 10_000)" in done.stdout
    assert "test_budget.py::test_0" in done.stdout
    assert (shop.path / "results.json").read_text() == before
    shop.path.joinpath("results.json").write_text((shop.path / "explained.json").read_text())
    [explained] = shop.read_results()
    same = ("nodeid", "migration", "migrations", "rows", "limit_bytes", "verdict", "time_budget_s")
    assert [explained[key] for key in same] == [result[key] for key in same]
    assert explained["attribution"][0]["bytes_per_row"] > 30_000
    assert "left no time" not in explained["attribution_note"]


def test_a_result_that_can_not_be_explained_starts_nothing(shop: Project) -> None:
    shop.run("--membudget-json=results.json", "--membudget-attribution=never")
    (shop.path / "conftest.py").write_text("raise SystemExit('started')")
    assert explain(shop, "shop.0001").returncode == 2
