"""``limit="cgroup"``: the memory limit of the container that the tests run in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import LOOP, Project

from pytest_membudget.budget.container import memory_limit

ROOTS = {
    "memory.limit_in_bytes": Path("/sys/fs/cgroup/memory"),
    "memory.max": Path("/sys/fs/cgroup"),
}


@pytest.fixture
def group() -> Iterator[Path]:
    """A memory control group of 300 MiB, of version 1 or 2."""
    for name, root in ROOTS.items():
        folder = root / f"membudget-test-{os.getpid()}"
        try:
            folder.mkdir()
            (folder / name).write_text(str(300 * 1024**2))
        except OSError:
            if folder.exists():
                folder.rmdir()
            continue
        yield folder
        folder.rmdir()
        return
    pytest.skip("no memory control group can be made here: that takes root and the controller")


def test_the_limit_of_the_group_is_read(project: Project, group: Path) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="cgroup"')
    enter = f"echo $$ > {group}/cgroup.procs && exec {sys.executable} -m pytest"
    command = ["sh", "-c", f"{enter} --membudget-json=results.json"]
    subprocess.run(command, cwd=project.path, check=True)
    (result,) = project.read_results()
    assert result["limit_bytes"] == 300 * 1024**2
    assert result["limit_source"] == "cgroup, set by the marker"


@pytest.mark.skipif(memory_limit() is not None, reason="these tests run under a memory limit")
def test_no_limit_is_a_usage_error(project: Project) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="cgroup"')
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert 'limit="cgroup": this process runs under no memory limit' in result.stderr.str()
