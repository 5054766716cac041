"""Memory that a container counts and the worker's high-water mark does not hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from leftovers import eventually
from project import Project

from pytest_membudget.processes.worker.memory_group import MemoryGroup

MIB = 1024**2
TAKE = 'b"x" * (600 << 20)'
TAKERS = {
    "atexit": f"""
    import atexit
    atexit.register(lambda: len({TAKE}))
    """,
    "thread": f"""
    import threading, time
    def take():
        time.sleep(1)
        {TAKE}
    threading.Thread(target=take).start()
    """,
    "shared memory": """
    from multiprocessing import shared_memory
    memory = shared_memory.SharedMemory(create=True, size=600 << 20)
    for start in range(0, 600 << 20, 1 << 20):
        memory.buf[start:start + (1 << 20)] = bytes(1 << 20)
    memory.close()
    """,
    "file in /dev/shm": """
    with open(f"/dev/shm/membudget-test-{os.getpid()}", "wb") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    """,
    "memfd": """
    memory = os.memfd_create("rows")
    for _ in range(600):
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
    return f"""
import os

def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Order").objects.all())
{body}
"""


def in_shared_memory() -> set[str]:
    """The files of these migrations: others on this machine come and go."""
    names = {path.name for path in Path("/dev/shm").iterdir()}
    return {name for name in names if name.startswith(("psm_", "membudget-test"))}


@pytest.fixture(autouse=True)
def nothing_left_in_shared_memory() -> Iterator[None]:
    before = in_shared_memory()
    yield
    assert in_shared_memory() <= before


@pytest.mark.parametrize("taker", TAKERS)
def test_it_is_in_the_peak(project: Project, vendor: str, taker: str) -> None:
    project.migration("0002_it", migration(TAKERS[taker]))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200}', 'limit="256Mi"')
    result = project.result()
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert result["peak_bytes"] > 256 * MIB


@pytest.mark.parametrize("taker", TAKERS)
def test_the_gate_sees_it(project: Project, taker: str) -> None:
    project.migration("0002_it", migration(TAKERS[taker]))
    project.run(
        "--membudget-gate=shop.0002", "--membudget-rows=shop.Order=200",
        "--membudget-limit=256Mi", "--membudget-json=results.json",
    )  # fmt: skip
    (result,) = project.read_results()
    assert result["verdict"] == "exceeds", result["reason"]


@pytest.mark.parametrize("taker", ["atexit", "thread", "shared memory", "memfd", "daemon"])
def test_the_whole_of_it_is_measured(project: Project, taker: str) -> None:
    project.migration("0002_it", migration(TAKERS[taker]))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200}', 'limit="2Gi"')
    result = project.result()
    assert result["verdict"] == "within", result["reason"]
    assert 600 * MIB < result["peak_bytes"] < 720 * MIB


def test_growth_in_an_atexit_handler_is_projected(project: Project, vendor: str) -> None:
    body = """
    import atexit
    rows = sum(1 for _ in apps.get_model("shop", "Order").objects.iterator())
    atexit.register(lambda: len(b"x" * (rows * 2000)))
    """
    project.migration("0002_it", migration(body).replace("objects.all()", "objects.all()[:9]"))
    project.budget('"shop.0002"', 'rows={"shop.Order": 800_000}', 'limit="256Mi"', "time_budget=30")
    result = project.result()
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["peak_bytes"] / MIB == pytest.approx(800_000 * 2000 / MIB + 45, rel=0.1)


def test_what_is_left_running_is_named(project: Project) -> None:
    body = """
    import subprocess
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    """
    project.migration("0002_it", migration(body))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200}', 'limit="256Mi"')
    result = project.result()
    assert result["verdict"] == "within"
    assert "processes-left" in [finding["code"] for finding in result["findings"]]


def test_a_process_that_takes_ever_more_is_no_pass(project: Project) -> None:
    body = """
    if os.fork() == 0:
        import time
        taken = []
        while True:
            taken.append(b"x" * (4 << 20))
            time.sleep(0.2)
    """
    project.migration("0002_it", migration(body))
    project.budget('"shop.0002"', 'rows={"shop.Order": 10}', 'limit="4Gi"')
    result = project.result()
    assert result["verdict"] == "inconclusive"
    assert "leaves processes running whose memory still grew" in result["reason"]


def test_files_of_others_in_shared_memory_are_not_counted(project: Project) -> None:
    """Neither one that was there before, nor one that another process makes and holds."""
    body = """
    import time
    time.sleep(1)
    """
    project.migration("0002_it", migration(body))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200}', 'limit="256Mi"')
    old, new = Path("/dev/shm/membudget-test-old"), "/dev/shm/membudget-test-new"
    old.write_bytes(bytes(300 * MIB))
    project.write(
        "conftest.py",
        f"""
        import pytest

        @pytest.fixture(autouse=True)
        def neighbour():
            import pathlib, threading, time
            def write():
                time.sleep(3)
                with pathlib.Path({new!r}).open("wb") as file:
                    file.write(bytes(300 << 20))
                    over.wait()
                pathlib.Path({new!r}).unlink()
            over = threading.Event()
            thread = threading.Thread(target=write)
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


@pytest.fixture
def groups() -> Callable[[], list[Path]]:
    """Control groups that a run has left behind, where one can be made."""
    group = MemoryGroup(os.getpid())
    made = group.folder
    if made is None:
        pytest.skip("no memory control group can be made here: that takes root and the controller")
    (made.parent / "cgroup.procs").write_text(str(os.getpid()))
    group.close()

    def left() -> list[Path]:
        found = made.parent.glob(f"{made.name[:17]}*")
        return [one for one in found if not _has_processes(one)]

    return left


def _has_processes(group: Path) -> bool:
    """Whether it is one of another run, or was removed just now."""
    try:
        return bool((group / "cgroup.procs").read_text())
    except OSError:
        return True


@pytest.fixture
def mounted(project: Project, groups: Callable[[], list[Path]]) -> Iterator[Path]:
    """A tmpfs that is not /dev/shm, as /tmp is on some machines."""
    folder = project.path / "mounted"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=900m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(("limit", "verdict"), [("256Mi", "inconclusive"), ("2Gi", "within")])
def test_memory_that_nothing_explains_is_named(
    project: Project, mounted: Path, groups: Callable[[], list[Path]], limit: str, verdict: str
) -> None:
    body = f"""
    with open({str(mounted / "file")!r}, "wb") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    import time
    time.sleep(0.2)
    os.unlink({str(mounted / "file")!r})
    """
    project.migration("0002_it", migration(body))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200}', f'limit="{limit}"')
    result = project.result()
    assert result["verdict"] == verdict
    assert "memory-unexplained" in [finding["code"] for finding in result["findings"]]
    assert eventually(lambda: groups() == [])
