"""A check ends in time, an interrupted run at once, and nothing is left of either."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import psutil
import pytest
import servers
from leftovers import Leftovers, eventually
from project import FEW, LIMIT, LOOP, Project

from pytest_membudget.reports.schema import json_schema

pytestmark = pytest.mark.usefixtures("temporary")
OTHER = '"shop.0001"', 'rows={"auth.User": 10}', LIMIT
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
    """Start pytest on the project, and wait until something in it is asleep on a database."""
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
    arguments = ['"shop.0003"', FEW, LIMIT, f"time_budget={budget}"]
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
        "shop.0003_it: seeds.seed did not finish within 2 s; the time budget is 1 s"
    )
    assert result["duration_s"] < 10
    assert took < 60
    assert left_behind.after_a_while() == []


def test_an_earlier_migration_that_sleeps_is_named(
    project: Project, vendor: str, left_behind: Leftovers
) -> None:
    sleeping(project, "earlier", SLEEP)
    shorten(project, "client.STEP_SECONDS = 2.0")
    result = project.result()
    assert result["verdict"] == "error"
    assert "the state before the migration was not built: shop.0002_early (" in result["reason"]
    assert result["reason"].endswith(" did not finish within 2 s")
    assert result["duration_s"] < 15
    assert left_behind.after_a_while() == []


def test_processes_of_two_versions_refuse_each_other(project: Project, temporary: Path) -> None:
    project.check(LOOP)
    project.write(
        "conftest.py",
        "from pytest_membudget.processes.messages import codec\ncodec.VERSION += 1\n",
    )
    result = project.result()
    assert result["verdict"] == "error"
    assert "two processes use different versions of pytest-membudget" in result["reason"]
    assert Leftovers(temporary, None).after_a_while() == []


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
            return pytest.mark.membudget(
                "shop.0002", rows={"shop.Order": 15}, limit="512Mi", **kwargs
            )

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
    reason = "the database server process was killed by SIGKILL"
    assert reason in results["test_dies"]["reason"]


KILL = """
def kill(apps, rows, using):
    import os
    os.kill(os.getpid(), signal.SIGKILL)
"""


# Ctrl-C with each place and each body, the others with each place, each body and each engine;
# every pair of a place, a body and an engine is here.
ENDED = [
    ("SIGINT", "seed", "sleep", "sqlite"),
    ("SIGINT", "seed", "deaf", "postgresql"),
    ("SIGINT", "seed", "setsid", "sqlite"),
    ("SIGINT", "earlier", "sleep", "postgresql"),
    ("SIGINT", "earlier", "deaf", "sqlite"),
    ("SIGINT", "earlier", "setsid", "postgresql"),
    ("SIGINT", "measured", "sleep", "sqlite"),
    ("SIGINT", "measured", "deaf", "postgresql"),
    ("SIGINT", "measured", "setsid", "sqlite"),
    ("SIGTERM", "seed", "deaf", "sqlite"),
    ("SIGTERM", "earlier", "setsid", "sqlite"),
    ("SIGTERM", "measured", "sleep", "postgresql"),
    ("SIGKILL", "seed", "deaf", "sqlite"),
    ("SIGKILL", "earlier", "sleep", "postgresql"),
    ("SIGKILL", "measured", "deaf", "sqlite"),
    ("SIGKILL", "measured", "setsid", "postgresql"),
    ("SIGINT", "measured", "sleep", "mysql"),
    ("SIGTERM", "seed", "deaf", "mysql"),
    ("SIGKILL", "earlier", "sleep", "mysql"),
    ("SIGKILL", "measured", "deaf", "mysql"),
]


@pytest.mark.parametrize(("number", "where", "body", "vendor"), ENDED)
def test_nothing_is_left_of_a_run_that_is_ended(
    project: Project, left_behind: Leftovers, start: Start, number: str, where: str, body: str
) -> None:
    """Ctrl-C ends it in two seconds."""
    sleeping(project, where, BODIES[body])
    process = start()
    assert left_behind() != []
    begin = time.monotonic()
    process.send_signal(signal.Signals[number])
    process.wait(30)
    took = time.monotonic() - begin
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    assert took < 2 * max(1, busy) or number != "SIGINT"
    assert left_behind.after_a_while() == []


@pytest.mark.parametrize(
    ("number", "options"),
    [(signal.SIGTERM, ()), (signal.SIGKILL, ()), (signal.SIGTERM, ("-n1",))],
)
def test_a_run_that_is_ended_has_written_its_results(
    project: Project, number: int, options: tuple[str, ...]
) -> None:
    project.write("results.json", "of an earlier run")
    project.migration("0002_it", forwards(SLEEP))
    project.budgets(OTHER, ('"shop.0002"', FEW, LIMIT))
    process = project.start("--membudget-json=results.json", *options)
    assert eventually((project.path / "sleeping").exists)
    process.send_signal(number)
    process.wait(30)
    jsonschema.validate(json.loads((project.path / "results.json").read_text()), json_schema())
    (result,) = project.read_results()
    assert (result["nodeid"], result["outcome"]) == ("test_budget.py::test_0", "passed")


@pytest.mark.parametrize(
    ("where", "vendor"),
    [
        ("seed", "postgresql"),
        ("earlier", "sqlite"),
        ("measured", "sqlite"),
        ("measured", "postgresql"),
        ("seed", "mysql"),
        ("measured", "mysql"),
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


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"])
def test_a_run_leaves_those_of_others_alone_but_not_those_of_a_crash(
    project: Project, vendor: str, left_behind: Leftovers, start: Start
) -> None:
    sleeping(project, "measured", SLEEP, budget=60)
    process = start()
    before = sorted(left_behind())
    project.budget(*OTHER)
    project.run()
    assert sorted(left_behind()) == before
    # All at once, so that nothing of it can clean up.
    everything = psutil.Process(process.pid).children(recursive=True)
    for one in everything:
        one.suspend()
    for one in (*everything, process):
        one.kill()
    process.wait()
    psutil.wait_procs(everything, 30)
    assert left_behind() != []
    project.run()
    assert left_behind() == []


def test_nothing_is_left_by_a_run_with_a_daemon(
    project: Project, vendor: str, left_behind: Leftovers
) -> None:
    project.check(
        forwards(
            "list(apps.get_model('shop', 'Order').objects.all())\n"
            "    subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
            "    time.sleep(0.5)"
        )
    )
    result = project.result()
    assert result["verdict"] == "within"
    assert "processes-left" in [finding["code"] for finding in result["findings"]]
    assert left_behind() == []


def test_prepared_transactions_are_rolled_back(
    project: Project, temporary: Path, postgresql: servers.Server
) -> None:
    """Of the measured migration, and of an earlier one."""
    body = """
    from django.db import connections
    connection = schema_editor.connection
    with connections[connection.alias].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO shop_customer (email) VALUES ('a@b.c')")
        cursor.execute("PREPARE TRANSACTION 'it''s ours'")
"""
    project.migration("0002_prepares", forwards(body.lstrip()), atomic=False)
    project.migration("0003_it", forwards("pass"))
    project.budgets(*((f'"shop.000{number}"', *OTHER[1:]) for number in (2, 3)))
    project.run()
    assert Leftovers(temporary, postgresql)() == []


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
    project.check(forwards(body.strip()), *OTHER[1:])
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


SLEEPS_ON_THE_SERVER = """
def forwards(apps, schema_editor):
    import os, signal
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
        with open("backend", "w") as file:
            file.write(str(pid))
        {before}
        cursor.execute("SELECT pg_sleep(1000)")
"""
LOOKS_FOR_IT = """
def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")
        with open("statements", "w") as file:
            file.write(str(cursor.fetchone()[0]))
"""


def test_a_statement_ends_with_its_process(
    project: Project, temporary: Path, postgresql: servers.Server
) -> None:
    """It takes none of the server's time while later checks are measured."""
    project.migration("0002_looks", LOOKS_FOR_IT)
    project.migration("0003_sleeps", SLEEPS_ON_THE_SERVER.format(before="pass"))
    project.budgets(('"shop.0003"', FEW, LIMIT, "time_budget=2"), ('"shop.0002"', *OTHER[1:]))
    project.run()
    assert (project.path / "backend").exists()
    assert (project.path / "statements").read_text() == "0"
    assert Leftovers(temporary, postgresql)() == []


def test_a_statement_that_does_not_end_is_not_waited_for(
    project: Project, temporary: Path, postgresql: servers.Server
) -> None:
    """A backend that is stopped answers as little as one that compiles for minutes."""
    stop = "os.kill(pid, signal.SIGSTOP)"
    project.check(SLEEPS_ON_THE_SERVER.format(before=stop), FEW, LIMIT, "time_budget=2")
    begin = time.monotonic()
    try:
        output = project.run("--membudget-json=results.json").stdout
        took = time.monotonic() - begin
    finally:
        os.kill(int((project.path / "backend").read_text()), signal.SIGCONT)
    [result] = project.read_results()
    assert "statement-held-up" in [finding["code"] for finding in result["findings"]]
    output.fnmatch_lines(["*not removed by membudget*"])
    assert took < 30
    assert Leftovers(temporary, postgresql).after_a_while() == []


def test_a_terminal_shows_progress_and_a_log_none(project: Project) -> None:
    project.check(LOOP)
    assert "applying" not in project.run().stdout.str()
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest"], cwd=project.path, stdout=slave, stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:  # how a terminal says that the other end has closed
        pass
    os.close(master)
    assert process.wait() == 0
    assert b"shop.0002_it: applying the migration to 15 shop.Order rows" in shown
    assert b" s left" in shown
    assert b"1 passed" in shown
