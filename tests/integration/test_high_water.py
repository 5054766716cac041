"""The high-water mark of each phase, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_membudget.processes.worker import high_water

MIB = 1024**2
PHASES = """
import json
from pytest_membudget.processes.worker.high_water import Phases

def hold(mib):
    return bytearray(b"x") * (mib * 1024 ** 2)

hold(150)
phases = Phases()
phases.begin()
hold(50)
phases.note("SELECT id FROM a WHERE id IN (%s, %s)")
hold(100)
phases.note("SELECT id FROM a WHERE id IN (%s, %s, %s)")
phases.note("UPDATE a SET b = 1")
kept = hold(20)
phases.note("SELECT id FROM a WHERE id IN (%s)")
phases.note("DELETE FROM a")
phases.end()
print(json.dumps([[*zip(phases.marks, phases.marks.values())], phases.peak]))
"""


def test_each_phase_has_a_mark_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", PHASES], capture_output=True, check=True)
    found, highest = json.loads(done.stdout)
    marks = {statement: marks for (migration, statement, _), marks in found if not migration}
    assert list(marks) == [
        "start",
        "SELECT id FROM a WHERE id IN (%s)",
        "UPDATE a SET b = %s",
        "DELETE FROM a",
    ]
    rises = {name: (peak - began) / MIB for name, (began, peak) in marks.items()}
    assert list(rises.values()) == pytest.approx([50, 100, 20, 0], abs=1)
    assert marks["DELETE FROM a"][0] - marks["start"][0] == pytest.approx(20 * MIB, abs=MIB)
    assert highest == marks["SELECT id FROM a WHERE id IN (%s)"][1]


PARTS = """
import json
from pytest_membudget.processes.worker.high_water import Phases

def hold(mib):
    return bytearray(b"x") * (mib * 1024 ** 2)

phases = Phases()
phases.begin()
kept = []
for _ in range(3):
    kept.append(hold(10))
    phases.begin_part(("", "app.receiver"))
    kept.append(hold(30))
    phases.begin_part(("", ""))
phases.end()
print(json.dumps([[*zip(phases.marks, phases.marks.values())], phases.peak]))
"""


def test_what_others_add_in_between_is_no_rise_of_a_phase() -> None:
    """A migration's code goes on after each receiver, and a receiver begins again."""
    done = subprocess.run([sys.executable, "-c", PARTS], capture_output=True, check=True)
    found, highest = json.loads(done.stdout)
    rises = {
        (statement, receiver): (peak - began) / MIB
        for (_, statement, receiver), (began, peak) in found
    }
    assert rises == {
        ("start", ""): pytest.approx(10, abs=1),
        ("start", "app.receiver"): pytest.approx(30, abs=1),
        ("again", ""): pytest.approx(20, abs=1),
        ("again", "app.receiver"): pytest.approx(60, abs=1),
    }
    assert highest == max(peak for _, (_, peak) in found)


UNREADABLE = """
import json, pathlib, sys
from pytest_membudget.processes.worker import high_water

phases = high_water.Phases()
phases.begin()
hold = bytearray(b"x") * (100 * 1024 ** 2)
setattr(high_water, sys.argv[1], pathlib.Path(sys.argv[2]))
del hold
for number in range(3):
    phases.note("SELECT " + "abc"[number])
phases.end()
print(json.dumps([list(phases.marks), phases.peak, high_water.memory().get("peak", 0)]))
"""


@pytest.mark.parametrize("name", ["_RESET", "_STATUS"])
def test_where_the_kernel_keeps_no_mark_there_are_no_phases(name: str, tmp_path: Path) -> None:
    """Neither in a sandbox without these files, nor once they can't be reached any more."""
    missing = str(tmp_path / "missing" / name)
    command = [sys.executable, "-c", UNREADABLE, name, missing]
    done = subprocess.run(command, capture_output=True, check=True)
    marks, highest, now = json.loads(done.stdout)
    assert marks == []
    assert (highest if name == "_RESET" else now) >= (100 * MIB if name == "_RESET" else 0)


def test_a_status_without_a_mark_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmSize:\t  100 kB\nVmRSS:\t   50 kB\n")
    monkeypatch.setattr(high_water, "_STATUS", status)
    assert high_water.memory() == {}
