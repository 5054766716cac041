"""No database but our own is written to, and nothing is left behind, however a run ends."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
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


# test_ends.py has the other two of the six.
@pytest.mark.parametrize(
    ("number", "vendor"),
    [
        (signal.SIGINT, "postgresql"),
        (signal.SIGTERM, "sqlite"),
        (signal.SIGTERM, "postgresql"),
        (signal.SIGKILL, "sqlite"),
    ],
)
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
    assert b"shop.0002_loop: applying the migration to 15 shop.Order rows" in shown
    assert b" s left" in shown
    assert b"1 passed" in shown


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
