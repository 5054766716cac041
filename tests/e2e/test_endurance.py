"""Nothing gathers from check to check: benchmarks/endurance.py is the same with 200 of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project import FEW, LIMIT, LOOP, STREAM, Project

from pytest_membudget.database.scratch.drops import AT_ONCE

_CHECKS = 15
_AFTER = 6
# The server's own, the states, and those of a check.
_DATABASES = 3 + 3 + 6
# Of memory, what a few more checks may take that is not the checks'.
_BYTES = 3 * 1024**2


def test_nothing_gathers(
    project: Project, vendor: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IN_USE", str(project.path / "in_use"))
    project.write("in_use.py", (Path(__file__).parents[1] / "in_use.py").read_text())
    project.migration("0002_stream", STREAM)
    project.migration("0003_loop", LOOP)
    project.profile({"shop_order": 40, "shop_customer": 5})
    kinds = (
        ('"shop.0002"', FEW, LIMIT),
        ('"shop.0003"', LIMIT),
        ('"shop.0003"', 'rows={"shop.Order": 3_000}', 'limit="20Mi"'),
    )
    project.budgets(*(kinds[number % len(kinds)] for number in range(_CHECKS)))
    verdicts = [one["verdict"] for one in project.results("-p", "in_use")]
    assert sorted(set(verdicts)) == ["exceeds", "within"]
    taken = [json.loads(line) for line in (project.path / "in_use").read_text().splitlines()]
    first, last = taken[_AFTER - 1], taken[-1]
    # Those that are to be dropped, and those that are in use.
    assert max(one.pop("databases", 0) for one in taken) <= AT_ONCE + _DATABASES
    grown = {
        name: value - first[name]
        for name, value in last.items()
        if name != "test" and value - first[name] > (_BYTES if name.endswith("_bytes") else 0)
    }
    assert grown == {}
    assert {"pytest_fds", "server_fds", "template_fds", "files", "processes"} <= last.keys()
