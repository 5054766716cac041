"""A check ends in time, an interrupted run at once, and nothing is left of either."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
import servers
from leftovers import Leftovers, eventually
from project import LOOP, STREAM, Project

pytestmark = pytest.mark.usefixtures("temporary")
MIB = 1024**2
Start = Callable[[], subprocess.Popen[bytes]]
SLEEP = "pathlib.Path('sleeping').touch(); time.sleep(1000)"
# Neither a signal nor a closed pipe ends it, as some code in C that holds the GIL.
DEAF = (
    "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGIO, signal.SIGTERM, signal.SIGINT)];"
    + SLEEP
)
SETSID = "subprocess.Popen(['sleep', '1000'], start_new_session=True);" + SLEEP
BODIES = {"sleep": SLEEP, "deaf": DEAF, "setsid": SETSID}
IMPORTS = "import pathlib, signal, subprocess, time\n"


def seed(body: str) -> str:
    return f"{IMPORTS}def seed(apps, rows, using):\n    {body}\n"


def forwards(body: str) -> str:
    return f"{IMPORTS}def forwards(apps, schema_editor):\n    {body}\n"


@pytest.fixture
def start(project: Project) -> Iterator[Start]:
    """Start pytest on the project, and wait until something in it is asleep."""
    started = []

    def run() -> subprocess.Popen[bytes]:
        process = project.start(stdout=subprocess.PIPE)
        started.append(process)
        assert eventually((project.path / "sleeping").exists)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def shorten(project: Project, wait: str) -> None:
    """Set one of the plugin's waits."""
    project.write(
        "conftest.py",
        "from pytest_membudget.processes import child\n"
        f"from pytest_membudget.processes.server import client\n{wait}\n",
    )


def sleeping(project: Project, where: str, body: str, budget: int = 3) -> None:
    """A project in which the seed, an earlier migration, or the measured one sleeps."""
    arguments = ['"shop.0003"', 'rows={"shop.Order": 15}', 'limit="512Mi"', f"time_budget={budget}"]
    project.migration("0002_early", forwards(body if where == "earlier" else "pass"))
    project.migration("0003_it", forwards(body) if where == "measured" else LOOP)
    if where == "seed":
        project.write("seeds.py", seed(body))
        arguments.append('seed="seeds.seed"')
    project.budget(*arguments)
    if body == DEAF:  # its server process would be given ten seconds
        shorten(project, "child.GRACE_SECONDS = 1.0")


def test_a_seed_that_sleeps_ends_with_the_time_budget(
    project: Project, vendor: str, left_behind: Leftovers
) -> None:
    sleeping(project, "seed", SLEEP, budget=1)
    shorten(project, "client.LEAST_SECONDS = 2.0")
    begin = time.monotonic()
    result = project.result()
    took = time.monotonic() - begin
    assert result["verdict"] == "error"
    assert result["reason"] == (
        "shop.0003_it: seeds.seed had not ended after 2 s; its time budget is 1 s"
    )
    assert result["duration_s"] < 10
    assert took < 60
    assert eventually(lambda: left_behind() == []), left_behind()


def test_an_earlier_migration_that_sleeps_is_named(
    project: Project, vendor: str, left_behind: Leftovers
) -> None:
    sleeping(project, "earlier", SLEEP)
    shorten(project, "client.STEP_SECONDS = 2.0")
    result = project.result()
    assert result["verdict"] == "error"
    assert "the state before the migration was not built: shop.0002_early (" in result["reason"]
    assert result["reason"].endswith(" had not ended after 2 s")
    assert result["duration_s"] < 15
    assert eventually(lambda: left_behind() == []), left_behind()


def test_processes_of_two_versions_refuse_each_other(
    project: Project, left_behind: Leftovers
) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    project.write(
        "conftest.py",
        "from pytest_membudget.processes.messages import codec\ncodec.VERSION += 1\n",
    )
    result = project.result()
    assert result["verdict"] == "error"
    assert "processes of two versions of pytest-membudget met" in result["reason"]
    assert eventually(lambda: left_behind() == []), left_behind()


def test_the_next_check_has_a_server_that_works(project: Project) -> None:
    """After one that was given up, one that was killed while idle, and one amid an order."""
    project.migration("0002_loop", LOOP)
    shorten(project, "client.LEAST_SECONDS = 2.0")
    project.write("seeds.py", seed(SLEEP).replace("sleeping", "slept") + KILL)
    project.write(
        "test_budget.py",
        """
        import psutil, pytest

        def budget(**kwargs):
            arguments = dict(rows={"shop.Order": 15}, limit="512Mi")
            return pytest.mark.membudget("shop.0002", **arguments, **kwargs)

        @budget(seed="seeds.seed", time_budget=1)
        def test_sleeps(): ...

        @budget()
        def test_works(): ...

        @budget()
        def test_works_after_a_kill():
            supervisors = psutil.Process().children()
            for server in [one for supervisor in supervisors for one in supervisor.children()]:
                server.kill()
                server.wait()

        @budget(seed="seeds.kill")
        def test_dies(): ...

        @budget()
        def test_works_again(): ...
        """,
    )
    results = {one["nodeid"].split("::")[1]: one for one in project.results()}
    verdicts = {name: one["verdict"] for name, one in results.items()}
    assert verdicts == {
        "test_sleeps": "error",
        "test_works": "within",
        "test_works_after_a_kill": "within",
        "test_dies": "error",
        "test_works_again": "within",
    }
    reason = "the process that makes scratch databases was killed by SIGKILL"
    assert reason in results["test_dies"]["reason"]


KILL = """
def kill(apps, rows, using):
    import os
    os.kill(os.getpid(), signal.SIGKILL)
"""


# Every pair of a place, a body and an engine is here once at least, in half of all combinations;
# a kill has the other half of those that are not ended by a signal alone.
INTERRUPTED = [
    ("seed", "sleep", "sqlite"),
    ("seed", "deaf", "postgresql"),
    ("seed", "setsid", "sqlite"),
    ("earlier", "sleep", "postgresql"),
    ("earlier", "deaf", "sqlite"),
    ("earlier", "setsid", "postgresql"),
    ("measured", "sleep", "sqlite"),
    ("measured", "deaf", "postgresql"),
    ("measured", "setsid", "sqlite"),
]
KILLED = [
    (where, body, "sqlite" if vendor == "postgresql" else "postgresql")
    for where, body, vendor in INTERRUPTED
    if body != "sleep"
]


@pytest.mark.parametrize(("where", "body", "vendor"), INTERRUPTED)
def test_ctrl_c_ends_a_run_in_two_seconds(
    project: Project, vendor: str, left_behind: Leftovers, start: Start, where: str, body: str
) -> None:
    sleeping(project, where, BODIES[body])
    process = start()
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(30)
    took = time.monotonic() - begin
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    assert took < 2 * max(1, busy)
    assert eventually(lambda: left_behind() == [], 60), left_behind()


@pytest.mark.parametrize(("where", "body", "vendor"), KILLED)
def test_nothing_is_left_of_a_run_that_is_killed(
    project: Project, vendor: str, left_behind: Leftovers, start: Start, where: str, body: str
) -> None:
    sleeping(project, where, BODIES[body])
    process = start()
    process.kill()
    process.wait()
    assert eventually(lambda: left_behind() == [], 60), left_behind()


@pytest.mark.parametrize(
    ("where", "vendor"),
    [
        ("seed", "postgresql"),
        ("earlier", "sqlite"),
        ("measured", "sqlite"),
        ("measured", "postgresql"),
    ],
)
def test_nothing_is_left_of_a_server_process_that_is_killed(
    project: Project, vendor: str, left_behind: Leftovers, start: Start, where: str
) -> None:
    sleeping(project, where, SLEEP)
    process = start()
    for supervisor in psutil.Process(process.pid).children():
        if "server.main" in " ".join(supervisor.cmdline()):
            supervisor.children()[0].kill()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"not removed by membudget" not in output
    assert left_behind() == []


PREPARED = """
    from django.db import connections
    connection = schema_editor.connection
    with connections[connection.alias].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO shop_customer (email) VALUES ('a@b.c')")
        cursor.execute("PREPARE TRANSACTION 'it''s ours'")
"""


@pytest.mark.parametrize("name", ["0002_early", "0003_it"])
def test_prepared_transactions_are_rolled_back(
    project: Project, temporary: Path, postgresql: servers.Server, name: str
) -> None:
    left_behind = Leftovers(temporary, postgresql)
    for one in ("0002_early", "0003_it"):
        body = PREPARED if one == name else "pass"
        project.migration(one, f"def forwards(apps, schema_editor):\n    {body}", atomic=False)
    project.budget('"shop.0003"', 'rows={"auth.User": 10}', 'limit="512Mi"')
    project.result()
    assert left_behind() == []


def test_what_cannot_be_dropped_is_named_with_the_command(
    project: Project, temporary: Path, postgresql: servers.Server
) -> None:
    """A template database can't be dropped, and marking one stands for whatever prevents it."""
    left_behind = Leftovers(temporary, postgresql)
    body = """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
        cursor.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')
    """
    project.migration("0002_it", f"def forwards(apps, schema_editor):{body}")
    project.budget('"shop.0002"', 'rows={"auth.User": 10}', 'limit="512Mi"')
    output = project.run().stdout
    (name, *others) = sorted(left_behind())
    try:
        output.fnmatch_lines(
            [
                "*not removed by membudget*",
                f'the database {name}: *DROP DATABASE "{name}" WITH (FORCE);',
            ]
        )
    finally:
        with postgresql.connect() as connection:
            for one in (name, *others):
                connection.execute(f'ALTER DATABASE "{one}" IS_TEMPLATE false')
                connection.execute(f'DROP DATABASE "{one}"')


def profile(project: Project, width: float) -> None:
    columns = {
        name: {"type": "text", "width": width if name == "note" else 8, "nulls": 0}
        for name in ("id", "customer_id", "number", "note", "price", "total")
    }
    document = {
        "membudget_profile": 1,
        "database": {"vendor": project.vendor, "version": "15"},
        "taken": "2026-11-21",
        "exact": True,
        "tables": {"shop_order": {"rows": 1_000_000, "columns": columns}},
    }
    project.write("membudget.json", json.dumps(document))


def test_wide_rows_make_the_first_sample_smaller(project: Project, vendor: str) -> None:
    """Two thousand rows of 500 KB would be 1 GB, for a sample that only tells the time a row."""
    profile(project, 5e5)
    project.migration("0002_stream", STREAM)
    project.budget('"shop.0002"', 'limit="100Mi"', "time_budget=30")
    first = project.result()["samples"][0]
    assert 10 * MIB < first["rows"]["shop.Order"] * 5e5 < 270 * MIB


@pytest.fixture
def small_disk(temporary: Path) -> Iterator[Path]:
    """A file system of 200 MiB for the scratch databases."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(temporary)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    yield temporary
    subprocess.run(["umount", str(temporary)], check=True)


def test_samples_fit_the_disk(project: Project, small_disk: Path) -> None:
    profile(project, 2000)
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'limit="3Gi"', "time_budget=30")
    result = project.result()
    largest = result["samples"][-1]["rows"]["shop.Order"]
    assert largest * 2000 < 100 * MIB
    assert result["verdict"] in ("within", "exceeds", "inconclusive")
    assert "disk-room" in [finding["code"] for finding in result["findings"]]


CONTAINER = """
def forwards(apps, schema_editor):
    rows = apps.get_model("shop", "Order").objects.count()
    taken = []
    for _ in range(1024):
        taken.append(b"x" * (1 << 20))
"""


def _is_empty(group: Path) -> bool:
    return not (group / "cgroup.procs").read_text()


@pytest.fixture
def group() -> Iterator[Path]:
    """A memory control group of 300 MiB, of version 1 or 2."""
    for name, root in {
        "memory.limit_in_bytes": Path("/sys/fs/cgroup/memory"),
        "memory.max": Path("/sys/fs/cgroup"),
    }.items():
        folder = root / f"membudget-test-ends-{os.getpid()}"
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


@pytest.mark.parametrize("step", ["1 << 20", "256 << 20"], ids=["slowly", "at once"])
def test_a_container_that_is_too_small_gives_a_verdict(
    project: Project, group: Path, step: str
) -> None:
    project.migration("0002_it", CONTAINER.replace("1 << 20", step))
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="2Gi"')
    enter = f"echo $$ > {group}/cgroup.procs && exec {sys.executable} -m pytest"
    command = ["sh", "-c", f"{enter} --membudget-json=results.json"]
    assert subprocess.run(command, cwd=project.path).returncode == 1
    (result,) = project.read_results()
    assert result["verdict"] == "inconclusive", result["reason"]
    assert "the container of 300 MiB that the tests run in ran " in result["reason"]
