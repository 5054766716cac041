"""``--membudget-confirm``: the kernel's own verdict beside that of the samples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project import LOOP, STREAM, Project

from pytest_membudget.processes.worker.control_group import (
    NoControlGroup,
    control_group,
    own_groups,
)

ROWS = 'rows={"shop.Order": 60_000}'


@pytest.fixture(autouse=True)
def _possible() -> None:
    try:
        with control_group(1 << 26):
            pass
    except NoControlGroup as error:
        pytest.skip(str(error))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of a tmpfs are counted."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.mark.parametrize(
    ("code", "limit", "verdict", "killed"),
    [(STREAM, "512Mi", "within", False), (LOOP, "60Mi", "exceeds", True)],
    ids=["lives", "is killed"],
)
def test_the_kernel_agrees(
    project: Project, vendor: str, code: str, limit: str, verdict: str, killed: bool
) -> None:
    project.check(code, ROWS, f'limit="{limit}"')
    result = project.result("--membudget-confirm")
    assert result["verdict"] == verdict, result["reason"]
    found = result["confirmation"]
    assert found["killed"] is killed, found
    assert found["group"].startswith("cgroup v")
    assert found["rows"]["shop.Order"] >= result["samples"][-1]["rows"]["shop.Order"]
    assert "kernel-verdict" in [one["code"] for one in result["findings"]]
    groups = [own for _, own in own_groups()]
    assert not [one for own in groups for one in own.glob("membudget-limit-*") if _is_left(one)]


def _is_left(group: Path) -> bool:
    """Whether no run has it any more."""
    return not Path("/proc", group.name.split("-")[2]).exists() or str(os.getpid()) in group.name


def test_without_it_nothing_is_confirmed(project: Project) -> None:
    project.check(STREAM)
    assert project.result()["confirmation"] is None
