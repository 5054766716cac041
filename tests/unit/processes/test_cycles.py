"""What a process tells of its cycle collector, in a fresh one that has nothing else in it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import gc, json
from pytest_membudget.processes.worker.cycles import Cycles

class Node:
    pass

def pages(count):
    for _ in range(count):
        page = [Node() for _ in range(2_000)]
        for node in page:
            node.itself = node

{before}
cycles = Cycles()
cycles.begin()
pages({count})
print(json.dumps(cycles.facts()))
"""


def facts(count: int, before: str = "") -> dict[str, int]:
    script = SCRIPT.format(count=count, before=before)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    return dict(json.loads(done.stdout))


def test_garbage_that_waits_is_counted() -> None:
    few, more = facts(1), facts(5)
    assert few["oldest_collections"] < 3
    assert more["cyclic_objects"] - few["cyclic_objects"] > 2_000


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="its collector is incremental")
def test_collections_of_the_oldest_generation_are_counted() -> None:
    many = facts(500)
    assert many["oldest_collections"] >= 3
    assert many["cyclic_objects"] > 50_000


def test_a_collector_that_is_off_tells_nothing_and_an_incremental_one_what_waits_only() -> None:
    assert facts(1, "gc.disable()") == {}
    said = facts(500, "gc.get_threshold = lambda: (2_000, 10, 0)")
    assert said["oldest_collections"] == 0


ONCE = """
from pytest_membudget.processes.worker.kept import Kept
kept = Kept()
cycles.begin()
with kept.operation():
    held = [Node() for _ in range(2_000)]
    kept.note()
before = gc.get_stats()[2]["collections"]
said = kept.facts(cycles)
print(json.dumps({**said, "collections": gc.get_stats()[2]["collections"] - before}))
"""


def test_the_objects_of_a_project_are_gone_through_once() -> None:
    """It takes as long as a small migration."""
    head = SCRIPT[: SCRIPT.index("cycles.begin()")].format(before="")
    done = subprocess.run(
        [sys.executable, "-c", head + ONCE], check=True, capture_output=True, text=True
    )
    said = json.loads(done.stdout)
    assert said["collections"] == 1
    assert said["kept_blocks"] > 2_000
    assert said["cyclic_blocks"] < 1_000
