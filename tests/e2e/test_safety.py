"""No database but our own is written to, and nothing is left behind, however a run ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import servers
from leftovers import Leftovers, eventually
from project import LOOP, STREAM, Project

pytestmark = pytest.mark.usefixtures("temporary")
SLEEP = """
def forwards(apps, schema_editor):
    import pathlib, time
    list(apps.get_model("shop", "Order").objects.all())
    pathlib.Path("sleeping").touch()
    time.sleep(1000)
"""


@pytest.fixture
def running(project: Project, vendor: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run of pytest whose migration is asleep, on a scratch database."""
    project.migration("0002_sleep", SLEEP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    process = project.start()
    assert eventually((project.path / "sleeping").exists)
    yield process
    process.kill()
    process.wait()


def _crash(process: subprocess.Popen[bytes]) -> None:
    """End a run and all that it started, so that nothing of it can clean up."""
    everything = psutil.Process(process.pid).children(recursive=True)
    for one in everything:
        one.suspend()
    for one in (*everything, process):
        one.kill()
    process.wait()
    psutil.wait_procs(everything, 30)


def test_nothing_is_left_by_a_run(project: Project, vendor: str, left_behind: Leftovers) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
    assert left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_by_a_run_that_is_ended(
    running: subprocess.Popen[bytes], left_behind: Leftovers, number: signal.Signals
) -> None:
    assert left_behind() != []
    running.send_signal(number)
    running.wait(30)
    assert eventually(lambda: left_behind() == []), left_behind()


def test_what_a_crash_leaves_is_removed_by_the_next_run(
    running: subprocess.Popen[bytes], left_behind: Leftovers, project: Project
) -> None:
    _crash(running)
    assert left_behind() != []
    project.migration("0003_stream", STREAM)
    project.budget('"shop.0001"', 'rows={"auth.User": 10}', 'limit="512Mi"')
    project.run()
    assert left_behind() == []


def test_a_living_runs_databases_are_left_alone(
    running: subprocess.Popen[bytes], left_behind: Leftovers, project: Project
) -> None:
    before = left_behind()
    project.budget('"shop.0001"', 'rows={"auth.User": 10}', 'limit="512Mi"')
    project.run()
    assert sorted(left_behind()) == sorted(before)


READY = """
    from django.apps import AppConfig

    class ShopConfig(AppConfig):
        name = "shop"

        def ready(self):
            from django.db import connection
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS written_by_ready (id integer)")
"""


def test_the_configured_sqlite_database_is_not_touched(project: Project) -> None:
    path = project.path / "production.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shop_order (id integer)")
    connection.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
    # The pytest process itself, which is the project's own affair, must not write either.
    project.write("shop/apps.py", READY.replace("def ready", "def ready_in_children"))
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) == before


def test_code_that_writes_on_start_up_meets_a_scratch_database(
    project: Project, postgresql: servers.Server
) -> None:
    """In each process of ours; in pytest's own it is the project's affair and switched off here."""
    with postgresql.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS production")
        connection.execute("CREATE DATABASE production")
    guard = "            import sys\n            if 'pytest' in sys.modules: return\n"
    project.write("shop/apps.py", READY.replace("            from", guard + "            from"))
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
    with postgresql.connect("production") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == []
    with postgresql.connect() as connection:
        connection.execute("DROP DATABASE production")


def test_a_terminal_shows_progress_and_a_log_none(project: Project) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
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
    assert b"shop.0002_loop: applying it to 15 shop.Order rows" in shown
    assert b" s left" in shown
    assert b"1 passed" in shown


def test_options_cannot_name_another_database(project: Project) -> None:
    """Django lets an option of the driver win over ``NAME``."""
    path = project.path / "named.sqlite3"
    with (project.path / "settings.py").open("a") as file:
        file.write(f"DATABASES['default']['OPTIONS'] = {{'database': {str(path)!r}}}\n")
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 15}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
    assert not path.exists()


DAEMON = """
def forwards(apps, schema_editor):
    import subprocess
    list(apps.get_model("shop", "Order").objects.all())
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    import time
    time.sleep(0.5)
"""


def test_a_daemon_that_a_migration_starts_is_ended(project: Project, temporary: Path) -> None:
    project.migration("0002_daemon", DAEMON)
    project.budget('"shop.0002"', 'rows={"shop.Order": 4}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
    mine = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if process.info["cmdline"] == ["sleep", "1000"]:
                mine.append(process.environ().get("TMPDIR") == str(temporary))
    assert not any(mine)
