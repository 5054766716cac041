"""The processes below another one, whatever others come and go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from leftovers import eventually

from pytest_membudget.processes.worker.descendants import Descendants

# Orphans become its children; each line starts a process that has a child.
ANCESTOR = """
import ctypes, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for line in sys.stdin:
    subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"], start_new_session=True)
"""


@pytest.fixture
def ancestor() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", ANCESTOR], stdin=subprocess.PIPE) as process:
        yield process
        for one in psutil.Process(process.pid).children(recursive=True):
            one.kill()
        process.kill()


def start(ancestor: subprocess.Popen[bytes]) -> None:
    assert ancestor.stdin is not None
    ancestor.stdin.write(b"\n")
    ancestor.stdin.flush()


def test_those_that_are_started_later_and_orphans(ancestor: subprocess.Popen[bytes]) -> None:
    below = Descendants(ancestor.pid)
    assert below.now() == []
    with subprocess.Popen(["sleep", "60"]) as other:
        for count in (3, 6):
            start(ancestor)
            assert eventually(lambda count=count: len(below.now()) == count)
        first, *_ = below.now()
        assert first.name() == "sh"
        assert other.pid not in [one.pid for one in below.now()]
        first.kill()
        assert eventually(lambda: first.status() == psutil.STATUS_ZOMBIE)
        orphans = [one for one in below.now() if one.ppid() == ancestor.pid]
        assert len(orphans) == 4
        other.kill()
    every = psutil.Process(ancestor.pid).children(recursive=True)
    assert {*below.now()} == {*every}


def test_one_that_is_there_before(ancestor: subprocess.Popen[bytes]) -> None:
    start(ancestor)
    every = psutil.Process(ancestor.pid)
    assert eventually(lambda: len(every.children(recursive=True)) == 3)
    assert {*Descendants(ancestor.pid).now()} == {*every.children(recursive=True)}
