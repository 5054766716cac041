"""Limits of what a run happens in: of its container, with ``limit="cgroup"`` too, and of a disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from leftovers import eventually
from machine import mounted
from project import FEW, LOOP, STREAM, Project

MIB = 1024**2
ROOTS = {
    "memory.limit_in_bytes": Path("/sys/fs/cgroup/memory"),
    "memory.max": Path("/sys/fs/cgroup"),
}


def _is_empty(group: Path) -> bool:
    return not (group / "cgroup.procs").read_text()


@pytest.fixture
def group() -> Iterator[Path]:
    """A memory control group of 300 MiB, of version 1 or 2."""
    for name, root in ROOTS.items():
        folder = root / f"membudget-test-{os.getpid()}"
        try:
            folder.mkdir()
            (folder / name).write_text(str(300 * MIB))
        except OSError:
            if folder.exists():
                folder.rmdir()
            continue
        yield folder
        assert eventually(partial(_is_empty, folder))
        folder.rmdir()
        return
    pytest.skip("no memory control group can be made here: that takes root and the controller")


def result_in(group: Path, project: Project) -> dict[str, Any]:
    enter = f"echo $$ > {group}/cgroup.procs && exec {sys.executable} -m pytest"
    subprocess.run(["sh", "-c", f"{enter} --membudget-json=results.json"], cwd=project.path)
    (result,) = project.read_results()
    return result


def test_the_limit_of_the_group_is_read(project: Project, group: Path) -> None:
    project.check(LOOP, FEW, 'limit="cgroup"')
    result = result_in(group, project)
    assert result["outcome"] == "passed"
    assert result["limit_bytes"] == 300 * MIB
    assert result["limit_source"] == "cgroup, set by the marker"


CONTAINER = """
def forwards(apps, schema_editor):
    rows = apps.get_model("shop", "Order").objects.count()
    taken = []
    for _ in range(1024):
        taken.append(b"x" * ({step}))
"""


@pytest.mark.parametrize("step", ["1 << 20", "256 << 20"], ids=["slowly", "at once"])
def test_a_container_that_is_too_small_gives_a_verdict(
    project: Project, group: Path, step: str
) -> None:
    project.check(CONTAINER.format(step=step), FEW, 'limit="2Gi"')
    result = result_in(group, project)
    assert (result["verdict"], result["outcome"]) == ("inconclusive", "failed"), result["reason"]
    assert "the test run's container (300 MiB) ran " in result["reason"]


def profile(project: Project, note: int) -> None:
    widths = dict.fromkeys(("id", "customer_id", "number", "price", "total"), 8)
    project.profile({"shop_order": 1_000_000}, note=note, **widths)


def test_wide_rows_make_the_first_sample_smaller(project: Project) -> None:
    """Two thousand rows of 500 KB would be 1 GB, for a sample that only tells the time a row."""
    profile(project, 500_000)
    project.check(STREAM, 'limit="100Mi"', "time_budget=30")
    first = project.result()["samples"][0]
    assert 10 * MIB < first["rows"]["shop.Order"] * 5e5 < 270 * MIB


def test_samples_fit_the_disk(project: Project, temporary: Path) -> None:
    """Which holds the scratch databases, and 200 MiB."""
    profile(project, 2_000)
    project.check(LOOP, 'limit="3Gi"', "time_budget=30")
    with mounted(temporary, "200m"):
        result = project.result()
    largest = result["samples"][-1]["rows"]["shop.Order"]
    assert largest * 2000 < 100 * MIB
    assert result["verdict"] in ("within", "exceeds", "inconclusive")
    assert "disk-room" in [finding["code"] for finding in result["findings"]]
