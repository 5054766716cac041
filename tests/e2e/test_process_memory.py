"""Memory that a container counts and the worker's high-water mark does not hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch import checks
from leftovers import eventually
from machine import mounted
from project import FEW, LIMIT, Project

from pytest_membudget.processes.worker.memory_group import MemoryGroup

MIB = 1024**2
TAKE = 'b"x" * (300 << 20)'
TAKERS = {
    "atexit": f"""
    import atexit
    atexit.register(lambda: len({TAKE}))
    """,
    "thread": f"""
    import threading, time
    def take():
        time.sleep(0.5)
        {TAKE}
    threading.Thread(target=take).start()
    """,
    "shared memory": """
    from multiprocessing import shared_memory
    memory = shared_memory.SharedMemory(create=True, size=300 << 20)
    for start in range(0, 300 << 20, 1 << 20):
        memory.buf[start:start + (1 << 20)] = bytes(1 << 20)
    memory.close()
    """,
    "file in /dev/shm": """
    with open(f"/dev/shm/membudget-test-{os.getpid()}", "wb") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    """,
    "memfd": """
    memory = os.memfd_create("rows")
    for _ in range(300):
        os.write(memory, bytes(1 << 20))
    """,
    "daemon": f"""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import time
            taken = {TAKE}
            time.sleep(1000)
        os._exit(0)
    os.wait()
    """,
    "daemon of a program": f"""
    import subprocess, sys
    code = "import time; taken = {TAKE.replace('"', "'")}; time.sleep(1000)"
    program = [sys.executable, "-c", code]
    subprocess.run(["setsid", "--fork", *program], stdin=subprocess.DEVNULL)
    """,
}


def migration(body: str) -> str:
    """It takes nothing on empty tables, to which a batch applies it as well."""
    return f"""
import os

def forwards(apps, schema_editor):
    if not list(apps.get_model("shop", "Order").objects.all()):
        return
{body}
"""


def taking(taker: str) -> str:
    return migration(TAKERS[taker])


def in_shared_memory() -> set[str]:
    """The files of these migrations: others on this machine come and go."""
    names = {path.name for path in Path("/dev/shm").iterdir()}
    return {name for name in names if name.startswith(("psm_", "membudget-test"))}


@pytest.fixture(autouse=True)
def nothing_left_in_shared_memory() -> Iterator[None]:
    before = in_shared_memory()
    yield
    assert in_shared_memory() <= before


ON_EACH = [*(("sqlite", taker) for taker in TAKERS), ("postgresql", "daemon")]


@checks(taking, FEW, 'limit="128Mi"')
@pytest.mark.parametrize(("vendor", "taker"), ON_EACH)
def test_it_is_in_the_peak(result: dict[str, Any], vendor: str, taker: str) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert result["peak_bytes"] > 128 * MIB


@checks(taking, gate=True, options=("--membudget-rows=shop.Order=15", "--membudget-limit=128Mi"))
@pytest.mark.parametrize("taker", TAKERS)
def test_the_gate_sees_it(result: dict[str, Any], taker: str) -> None:
    assert result["verdict"] == "exceeds", result["reason"]


@checks(taking, FEW, LIMIT)
@pytest.mark.parametrize("taker", ["atexit", "thread", "shared memory", "memfd", "daemon"])
def test_the_whole_of_it_is_measured(result: dict[str, Any], taker: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert 300 * MIB < result["peak_bytes"] < 420 * MIB


AT_EXIT = """
    import atexit
    rows = sum(1 for _ in apps.get_model("shop", "Order").objects.iterator())
    atexit.register(lambda: len(b"x" * (rows * 2000)))
"""


@checks(
    migration(AT_EXIT).replace("objects.all()", "objects.all()[:9]"),
    'rows={"shop.Order": 200_000}',
    'limit="256Mi"',
    "time_budget=30",
)
def test_growth_in_an_atexit_handler_is_projected(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "projected"), result["reason"]
    assert result["peak_bytes"] / MIB == pytest.approx(200_000 * 2000 / MIB + 45, rel=0.1)


EVER_MORE = """
    if os.fork() == 0:
        import time
        taken = []
        while True:
            taken.append(b"x" * (4 << 20))
            time.sleep(0.2)
"""


@checks(migration(EVER_MORE), FEW, 'limit="4Gi"')
def test_a_process_that_takes_ever_more_is_no_pass(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "leaves processes running whose memory still grew" in result["reason"]


def test_files_of_others_in_shared_memory_are_not_counted(project: Project) -> None:
    """Neither one that was there before, nor one that another process makes and holds."""
    old, new = Path("/dev/shm/membudget-test-old"), Path("/dev/shm/membudget-test-new")
    running = project.path / "running"
    body = f"""
    import pathlib, time
    pathlib.Path({str(running)!r}).touch()
    new = pathlib.Path({str(new)!r})
    while not new.exists() or new.stat().st_size < 300 << 20:
        time.sleep(0.01)
    """
    project.check(migration(body), FEW, 'limit="256Mi"')
    old.write_bytes(bytes(300 * MIB))
    project.write(
        "conftest.py",
        f"""
        import pytest

        @pytest.fixture(autouse=True)
        def neighbour():
            import pathlib, threading, time
            def write():
                while not pathlib.Path({str(running)!r}).exists():
                    time.sleep(0.01)
                with pathlib.Path({str(new)!r}).open("wb") as file:
                    file.write(bytes(300 << 20))
                    over.wait()
                pathlib.Path({str(new)!r}).unlink()
            over = threading.Event()
            thread = threading.Thread(target=write, daemon=True)
            thread.start()
            yield
            over.set()
            thread.join()
        """,
    )
    try:
        result = project.result()
    finally:
        old.unlink()
    assert result["verdict"] == "within", result["reason"]
    assert result["peak_bytes"] < 100 * MIB


def _has_processes(group: Path) -> bool:
    """Whether it is one of another run, or was removed just now."""
    try:
        return bool((group / "cgroup.procs").read_text())
    except OSError:
        return True


def test_memory_that_nothing_explains_is_named(project: Project, tmp_path: Path) -> None:
    """That of a file in memory elsewhere than in /dev/shm, as /tmp is on some machines."""
    group = MemoryGroup(os.getpid())
    made = group.folder
    if made is None:
        pytest.skip("no memory control group can be made here: that takes root and the controller")
    (made.parent / "cgroup.procs").write_text(str(os.getpid()))
    group.close()
    folder = tmp_path / "mounted"
    folder.mkdir()
    body = f"""
    with open({str(folder / "file")!r}, "wb") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    import time
    time.sleep(0.2)
    os.unlink({str(folder / "file")!r})
    """
    project.migration("0002_it", migration(body))
    limits = {"256Mi": "inconclusive", "2Gi": "within"}
    project.budgets(*(('"shop.0002"', FEW, f'limit="{limit}"') for limit in limits))
    with mounted(folder, "900m"):
        results = project.results()
    assert [result["verdict"] for result in results] == list(limits.values())
    for result in results:
        assert "memory-unexplained" in [finding["code"] for finding in result["findings"]]
    pattern = f"{made.name[:17]}*"
    assert eventually(lambda: all(map(_has_processes, made.parent.glob(pattern))))


def importing(project: Project, line: str) -> dict[str, Any]:
    """What the gate says of a migration without rows in a project whose settings have a line."""
    project.add("settings.py", f"import ctypes.util, subprocess, sys\n{line}")
    project.migration("0002_it", "def forwards(apps, schema_editor): pass\n")
    return project.result("--membudget-gate=shop.0002", "--membudget-limit=1Gi", ROWS)


ROWS = "--membudget-rows=shop.Order=15"


def test_programs_that_end_before_the_migration_begins_are_not_its_own(
    project: Project, vendor: str
) -> None:
    find = 'ctypes.util.find_library("geos_of_nobody")\nsubprocess.run(["sleep", "0.3"])'
    result = importing(project, find)
    assert result["verdict"] == "within", result["reason"]
    assert {sample["processes"] for sample in result["samples"]} == {1}
    assert all(sample["anonymous_bytes"] for sample in result["samples"])
    assert "child-processes" not in [finding["code"] for finding in result["findings"]]


def test_programs_of_the_import_count_where_they_set_the_peak(project: Project) -> None:
    code = "import time; taken = " + TAKE.replace('"', "'") + "; time.sleep(0.5)"
    result = importing(project, f"subprocess.run([sys.executable, '-c', {code!r}])")
    assert "0002_it ran 2 processes" in result["reason"]
    assert result["samples"][-1]["peak_bytes"] > 300 * MIB


def test_programs_of_the_import_that_go_on_count(project: Project) -> None:
    null = "stdin=-3, stdout=-3, stderr=-3"  # pytest starts it as well
    result = importing(project, f"subprocess.Popen(['sleep', '5'], {null})")
    assert "0002_it ran 2 processes" in result["reason"]
