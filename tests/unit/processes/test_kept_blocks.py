"""What is counted of what a migration holds, in a fresh process that has nothing else in it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import gc, json
from pytest_membudget.processes.worker import kept
from pytest_membudget.processes.worker.cycles import Cycles

class Node:
    def __init__(self):
        self.itself = self

gc.disable()  # it would collect some by itself
kept._EVERY = 0
counter = kept.Kept()
counter.collects = {collects}
with counter.operation():
    held = [Node() for _ in range({held})]
    for _ in range({garbage}):
        Node()
    counter.note()
print(json.dumps(counter.facts(Cycles())))
"""


@pytest.mark.parametrize(
    ("held", "garbage", "collects", "counted"),
    [(10_000, 0, False, 10_000), (10_000, 10_000, False, 20_000), (10_000, 10_000, True, 10_000)],
)
def test_blocks_in_use_and_garbage(held: int, garbage: int, collects: bool, counted: int) -> None:
    script = SCRIPT.format(held=held, garbage=garbage, collects=collects)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    blocks = json.loads(done.stdout)["kept_blocks"]
    each = blocks / counted  # an object, and what holds its attributes
    assert 1 <= each <= 4
    assert not collects or blocks < 4 * held
